import type { EventBody, Session } from '../../protocol/index.ts'
import { terminalTypes } from '../../protocol/events.ts'
import type { JournalEntry } from '../store/journal/entry.ts'
import type { Journal } from '../store/journal/journal.ts'
import type { EventRow, KeptAnswer, StoredApproval, StoredProcess, StoredRun, StoredSnapshot } from '../store/store.ts'

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
  /** Gathers a record to be saved with the events. Called again for the same run or approval, the last one counts. */
  run(run: StoredRun): void
  approval(approval: StoredApproval): void
  session(session: Session): void
  process(process: StoredProcess): void
  checkpoint(process: string, offset: number): void
  snapshot(snapshot: StoredSnapshot): void
  /** Gathers the answer of the call that caused what is gathered. */
  answer(answer: KeptAnswer): void
  /** Hands over what was gathered; nothing gathered, nothing done. */
  commit(): void
  /** What is gathered so far. */
  mark(): Mark
  /** Forgets what was gathered since. What was committed meanwhile stays. */
  rewind(mark: Mark): void
  /**
   * Does `work` again, whose outcome is in the log already: gathers nothing. Answers whether its events are those of
   * `rows`, byte for byte.
   */
  repeat(rows: readonly EventRow[], work: () => void): boolean
}

/** A place in what is gathered. */
export interface Mark {
  entry: number
  events: number
  runs: Map<string, StoredRun> | undefined
  approvals: Map<string, StoredApproval> | undefined
  records: Records
}

type Records = Pick<JournalEntry, 'sessionRecord' | 'process' | 'checkpoint' | 'snapshot' | 'answers'>

export interface RecorderOptions {
  session: string
  head: number
  /** The session is not stored yet: the first entry makes it. */
  isNew?: boolean
  journal: Pick<Journal, 'append'>
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
  let approvals = new Map<string, StoredApproval>()
  let records: Records = {}
  // Number of the entry that is gathered.
  let entryNumber = 0
  let repeated: { rows: readonly EventRow[]; texts: string[] } | undefined

  return {
    get head() {
      return head
    },
    event(body, run, time, source) {
      if (repeated) {
        const seq = repeated.rows[repeated.texts.length]?.seq ?? head
        repeated.texts.push(JSON.stringify({ seq, time, run, ...body }))
        return seq
      }
      const text = JSON.stringify({ seq: head + 1, time, run, ...body })
      head += 1
      events.push({
        seq: head,
        run,
        type: body.type,
        text,
        process: source?.process ?? null,
        offset: source?.offset ?? null,
      })
      return head
    },
    run(run) {
      if (!repeated) runs.set(run.run.run, run)
    },
    approval(approval) {
      if (!repeated) approvals.set(approval.approval.approval, approval)
    },
    session(sessionRecord) {
      if (!repeated) records.sessionRecord = sessionRecord
    },
    process(process) {
      if (!repeated) records.process = process
    },
    checkpoint(process, offset) {
      if (!repeated) records.checkpoint = { process, offset }
    },
    snapshot: snapshot => void (records.snapshot = snapshot),
    answer: answer => void (records.answers = [answer]),
    commit() {
      if (events.length === 0 && runs.size === 0 && Object.keys(records).length === 0) return
      const before = head - events.length
      const entry: JournalEntry = {
        session,
        events,
        runs: [...runs.values()],
        approvals: [...approvals.values()],
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
      entryNumber += 1
      events = []
      runs = new Map()
      approvals = new Map()
      records = {}
      journal.append(entry)
    },
    mark: () => ({
      entry: entryNumber,
      events: events.length,
      runs: runs.size > 0 ? new Map(runs) : undefined,
      approvals: approvals.size > 0 ? new Map(approvals) : undefined,
      records: { ...records },
    }),
    rewind(mark) {
      const isSameEntry = mark.entry === entryNumber
      const kept = isSameEntry ? mark.events : 0
      head -= events.length - kept
      events.length = kept
      runs = (isSameEntry && mark.runs) || new Map()
      approvals = (isSameEntry && mark.approvals) || new Map()
      records = isSameEntry ? mark.records : {}
    },
    repeat(rows, work) {
      const texts: string[] = []
      repeated = { rows, texts }
      try {
        work()
      } finally {
        repeated = undefined
      }
      return texts.length === rows.length && rows.every(({ text }, index) => text === texts[index])
    },
  }
}

const terminals = new Set<string>(terminalTypes)
