import type { Log } from '../log/log.ts'
import type { JournalEntry } from '../store/journal/entry.ts'
import type { Journal } from '../store/journal/journal.ts'
import { type Store, type StoredRun, SyncFailed } from '../store/store.ts'
import { type ActiveRun, resumeRun } from './active-run.ts'
import type { Conversation } from './conversation.ts'
import { type Faults, isProgramError } from './faults.ts'
import { isDiskFull, storageFailure } from './own-failures.ts'
import type { Recorder } from './recorder.ts'
import type { RunQueue } from './run-queue.ts'
import { isEnded } from './run-state.ts'
import type { SessionProcess } from './session-process.ts'

/**
 * What a session does when its events cannot be stored: it kills the process and ends its runs as `failed`. When storage
 * works again it reads the output behind the last checkpoint once more, so that the log has all that was printed.
 */
export interface StorageFailures {
  /** Why the last commit failed. */
  readonly error: unknown
  /** Something could not be stored, and is tried again. */
  readonly isFailing: boolean
  /** Commits what is gathered; false when that fails, and `error` says why. */
  saved(): boolean
  /** An entry was not stored: the runs in it, and those at work, cannot go on. */
  failed(error: unknown, entry: JournalEntry): void
  /** The raw log of the process cannot be written: its runs cannot go on either. */
  stalled(error: unknown): void
}

export interface StorageFailuresOptions {
  session: string
  store: Store
  journal: Journal
  log: Log
  onDiskFull(detail: string): void
  conversation: Conversation
  recorder: Recorder
  process: SessionProcess
  queue: RunQueue
  faults: Faults
  /** All is stored again. */
  works(): void
}

export function createStorageFailures(options: StorageFailuresOptions): StorageFailures {
  const { session, store, journal, log, conversation, recorder, process, queue, faults } = options
  let storageError: unknown
  let retry: NodeJS.Timeout | undefined

  function saved(): boolean {
    storageError = undefined
    recorder.commit()
    journal.flush()
    return storageError === undefined
  }

  /** At once it would fail again. */
  function tryLater() {
    retry ??= setTimeout(() => {
      retry = undefined
      faults.guard('storing', tryAgain)
    }, retryMs).unref()
  }

  function tryAgain() {
    // With the ballast given up, only the ends of runs are stored.
    if (!saved() || retry) return
    if (process.isBehind && (!store.ballast.restore() || !process.readAgain())) return tryLater()
    if (saved() && !retry) options.works()
  }

  /** Ends `runs` and those at work as failed. */
  function giveUp(error: unknown, runs: readonly StoredRun[]) {
    if (isDiskFull(error)) options.onDiskFull((error as Error).message)
    const lost = new Map<string, ActiveRun>(runs.map(run => [run.run.run, resumeRun(run)]))
    for (const run of [conversation.background, conversation.active]) if (run) lost.set(run.stored.run.run, run)
    for (const [runId, run] of lost) {
      const committed = store.runs.get(runId)
      if (!committed) {
        // It was never accepted: whoever asked for it gets the error.
        const queued = queue.find(runId)
        if (queued) queue.remove(queued)
        run.place?.leave()
      } else if (!isEnded(committed.run.state)) {
        run.stored = committed
        conversation.end(run, 'refused', Date.now(), { failure: storageFailure(error) })
      }
    }
  }

  return {
    get error() {
      return storageError
    },
    get isFailing() {
      return retry !== undefined || process.isBehind
    },
    saved,

    failed(error, entry) {
      storageError = error
      // The daemon ends, and its processes go on without it.
      if (error instanceof SyncFailed) return
      if (isProgramError(error)) return faults.handle({ error, where: 'storing' })
      log.error('events could not be stored', { session, error })
      conversation.record = store.sessions.get(session) ?? conversation.record
      const { live } = process
      conversation.questions.believe(live ? store.approvals.ofProcess(live.claude.id) : [])
      process.fallBehind()
      giveUp(error, entry.runs ?? [])
      tryLater()
    },

    stalled(error) {
      saved()
      process.live?.abandon()
      giveUp(error, [])
      recorder.commit()
    },
  }
}

const retryMs = 1_000
