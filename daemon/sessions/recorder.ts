import type { EventBody, Session } from '../../protocol/index.ts'
import { terminalTypes } from '../../protocol/events.ts'
import type { Journal, JournalEntry } from '../store/journal.ts'
import type { EventRow, KeptAnswer, StoredProcess, StoredRun } from '../store/store.ts'

/** Where an event stems from: the raw bytes of a process up to `offset`; absent for what a client or muxd caused. */
export interface Source {
  process: string
  offset: number
}

/**
 * Writes a session's log: gives each event its `seq` and its one JSON text, gathers what belongs together with the
 * records that changed by it, and hands it to the journal as one entry.
 */
export interface Recorder {
  /** `seq` of the newest event, written or gathered. */
  readonly head: number
  /** Gathers an event; returns its `seq`. */
  event(body: EventBody, run: string | null, time: number, source?: Source): number
  /** Gathers a record to be saved with the events. Called again for the same run, the last one counts. */
  run(run: StoredRun): void
  session(session: Session): void
  process(process: StoredProcess): void
  checkpoint(process: string, offset: number): void
  /** Gathers the answer of the call that caused what is gathered. */
  answer(answer: KeptAnswer): void
  /** Hands over what was gathered; nothing gathered, nothing done. */
  commit(): void
}

export interface RecorderOptions {
  session: string
  head: number
  /** The session is not stored yet: the first entry makes it. */
  isNew?: boolean
  journal: Journal
  /** The runs of an entry, once readers may see them. */
  onPublished(runs: readonly StoredRun[]): void
  /** An entry could not be stored: none of its events exist, `head` has gone back before them. */
  onFailed(error: unknown, entry: JournalEntry): void
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { session, journal, onPublished, onFailed } = options
  let { head, isNew = false } = options
  let events: EventRow[] = []
  let runs = new Map<string, StoredRun>()
  let records: Pick<JournalEntry, 'sessionRecord' | 'process' | 'checkpoint' | 'answer'> = {}

  return {
    get head() {
      return head
    },
    event(body, run, time, source) {
      head += 1
      events.push({
        seq: head,
        run,
        type: body.type,
        text: JSON.stringify({ seq: head, time, run, ...body }),
        process: source?.process ?? null,
        offset: source?.offset ?? null,
      })
      return head
    },
    run: run => void runs.set(run.run.run, run),
    session: sessionRecord => void (records.sessionRecord = sessionRecord),
    process: process => void (records.process = process),
    checkpoint: (process, offset) => void (records.checkpoint = { process, offset }),
    answer: answer => void (records.answer = answer),
    commit() {
      if (events.length === 0 && runs.size === 0 && Object.keys(records).length === 0) return
      const before = head - events.length
      const entry: JournalEntry = {
        session,
        events,
        runs: [...runs.values()],
        ...records,
        ...(isNew && { created: true }),
        durable: events.some(({ type }) => terminals.has(type)),
        onPublished: () => onPublished(entry.runs ?? []),
        onFailed(error) {
          head = Math.min(head, before)
          onFailed(error, entry)
        },
      }
      isNew = false
      events = []
      runs = new Map()
      records = {}
      journal.append(entry)
    },
  }
}

const terminals = new Set<string>(terminalTypes)
