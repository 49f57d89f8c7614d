import type { Failure } from '../../protocol/index.ts'
import { failureOf } from '../agents/claude/failure.ts'
import { redact } from '../log/redact.ts'
import type { Log } from '../log/log.ts'
import type { Journal } from '../store/journal/journal.ts'
import type { Store } from '../store/store.ts'
import { type ActiveRun, resumeRun } from './active-run.ts'
import type { Conversation } from './conversation.ts'
import type { Recorder } from './recorder.ts'
import type { RunQueue } from './run-queue.ts'
import { isEnded } from './run-state.ts'

/** An exception in a session's own code, which no output may cause and which may still happen. */
export interface Fault {
  error: unknown
  /** What failed. */
  where: 'line' | 'output' | 'storing' | 'restoring' | 'running'
  /** The bytes of the process's output that were at work. */
  bytes?: number
  /** Where they end in the raw log. */
  offset?: number
}

/**
 * Keeps a fault inside its session: kills the process, skips the line that was at work and ends the run as `failed` with
 * `internal`. The session stays usable. A second fault without a finished run in between, or one while the session is
 * restored, would come back: it makes the session unusable.
 */
export interface Faults {
  handle(fault: Fault): void
  /** Does `work`; an exception in it is a fault. */
  guard(where: Fault['where'], work: () => void): void
  /** A run has ended: one that went well, or failed by Claude Code's own word, clears an earlier fault. */
  runEnded(run: ActiveRun): void
}

export interface FaultsOptions {
  session: string
  store: Pick<Store, 'sessions' | 'runs'>
  journal: Journal
  log: Log
  conversation: Conversation
  recorder: Recorder
  process: () => { discard(): void }
  queue: () => RunQueue
  refresh(): void
}

export function createFaults(options: FaultsOptions): Faults {
  const { session, store, journal, log, conversation, recorder } = options
  let isHandling = false

  function handle(fault: Fault) {
    const { error, where, bytes, offset } = fault
    log.error('a session failed', { session, where, offset, error })
    // What fails while a fault is handled must not begin that again.
    if (isHandling || conversation.record.unusable) return
    isHandling = true
    try {
      contain(fault, { reason: reasonOf(error), at: Date.now() })
    } catch (next) {
      log.error('the fault of a session could not be handled', { session, where, bytes, error: next })
    } finally {
      isHandling = false
    }
  }

  function contain({ where, bytes = 0, offset }: Fault, fault: { reason: string; at: number }) {
    const { reason, at } = fault
    // What was complete before is kept. From here on the store is the truth, whatever the memory says.
    recorder.commit()
    journal.flush()
    conversation.record = store.sessions.get(session) ?? conversation.record
    options.process().discard()
    const place = offset === undefined ? '' : `, up to byte ${offset}`
    const detail = `muxd failed to process ${bytes} bytes of the process's output${place}, and ended the process: ${reason}`
    const runs = runsUnderWay()
    recorder.event({ type: 'log_damaged', log: 'raw', bytes, detail }, runs[0]?.stored.run.run ?? null, at)
    const isRepeated = conversation.record.fault !== undefined || where === 'restoring'
    const failure = failureOf({ code: 'internal' }, reason)
    for (const going of runs) endRun(going, failure, at)
    conversation.questions.withdraw(undefined, undefined, at)
    conversation.record = { ...conversation.record, process: null, ...(isRepeated ? { unusable: fault } : { fault }) }
    if (isRepeated) for (const queued of [...options.queue()]) endRun(queued, failure, at)
    options.refresh()
    recorder.commit()
  }

  /** Those of the store: what the line at work has begun or ended does not count. */
  function runsUnderWay(): ActiveRun[] {
    const known = [conversation.background, conversation.active].filter(run => run !== null)
    conversation.background = null
    conversation.active = null
    const runs: ActiveRun[] = []
    for (const stored of store.runs.unfinished()) {
      if (stored.run.session !== session || stored.run.state === 'queued') continue
      const run = known.find(each => each.stored.run.run === stored.run.run) ?? resumeRun(stored)
      if (stored.promptUuid === null) conversation.background = run
      else conversation.active = run
      runs.push(run)
    }
    for (const run of known) if (!runs.includes(run)) run.place?.leave()
    return runs
  }

  function endRun(run: ActiveRun, failure: Failure, at: number) {
    const stored = store.runs.get(run.stored.run.run) ?? run.stored
    if (isEnded(stored.run.state)) return
    run.stored = stored
    try {
      conversation.end(run, 'refused', at, { failure })
    } catch (error) {
      log.error('what a run had said is lost', { session, run: stored.run.run, error })
      conversation.forgetTurn()
      run.stored = stored
      conversation.end(run, 'refused', at, { failure })
    }
  }

  return {
    handle,
    guard(where, work) {
      try {
        work()
      } catch (error) {
        handle({ error, where })
      }
    },
    runEnded({ stored: { run } }) {
      const isFinished = run.state === 'done' || (run.state === 'failed' && run.result?.failure?.code !== 'internal')
      if (!isFinished || !conversation.record.fault) return
      const { fault: _, ...record } = conversation.record
      conversation.record = record
    },
  }
}

/** Thrown by the language, not by the store: what is to be stored cannot be turned into text. */
export const isProgramError = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof TypeError || error instanceof ReferenceError

const maxReasonLength = 500

const reasonOf = (error: unknown): string => redact(String(error)).slice(0, maxReasonLength)
