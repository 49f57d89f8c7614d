import type { Approval, Run, Session } from '../../protocol/index.ts'
import type { PublishedView } from './published-view.ts'
import type { EventRow, KeptAnswer, StoredApproval, StoredProcess, StoredRun, StoredSnapshot } from './store.ts'

/**
 * The one way into the log: commit, then publish. Entries of one event-loop turn, over all sessions, are committed in
 * one transaction; after it each is published in order. An entry with `durable` (it holds a terminal event) and
 * whatever its session appends after it are published once the disk has it; nothing else waits for that.
 */
export interface Journal {
  append(entry: JournalEntry): void
  /**
   * Commits what is pending now instead of at the end of the turn (before an answer that promises it), and publishes
   * it but for what waits for the disk. `onFailed` is called before it returns. Called from within a callback of the
   * journal, it leaves the publishing to the flush that is under way.
   */
  flush(): void
  /**
   * Resolves when everything appended so far is committed, synced and published. Rejects when a sync fails or has failed:
   * nothing is published any more then, and every further entry fails.
   */
  settled(): Promise<void>
  /** The records as readers may see them. */
  readonly view: PublishedView
}

export interface JournalEntry {
  session: string
  events: readonly EventRow[]
  /** Records saved in the same transaction, and published as `session_changed`, `run_changed` and `approval_changed`. */
  sessionRecord?: Session
  /** `sessionRecord` is a new session: published as `session_created`, before the entry's events. */
  created?: boolean
  runs?: readonly StoredRun[]
  approvals?: readonly StoredApproval[]
  process?: StoredProcess
  /** The answer of the call that caused this: whoever finds it stored finds what the call did, and the reverse. */
  answer?: KeptAnswer
  /** Raw offset up to which `events` have been derived. */
  checkpoint?: { process: string; offset: number }
  /** The session's writing half as it is with `events`. */
  snapshot?: StoredSnapshot
  /** The session is removed with all that is stored of it, last of all; published as `session_deleted`. */
  deleted?: boolean
  /** It holds a terminal event or a deletion: published once it is on the disk, and stored even when the disk is full. */
  durable: boolean
  /** Committed and, if durable, on disk: readers may see it. */
  onPublished?(): void
  /**
   * Nothing of this entry is stored (`DiskFull`, `DatabaseBusy`, `SyncFailed` or a bug), and nothing of what the session appended
   * after it in the same turn: those entries fail with the same error, so that `seq` has no hole.
   */
  onFailed(error: unknown): void
}

/** What the journal tells when an entry becomes visible: `topics/` serves it. */
export interface Publisher {
  sessionEvents(session: string, events: readonly EventRow[]): void
  record(record: RecordBody): void
}
export type RecordBody =
  | { type: 'session_created' | 'session_changed'; session: Session }
  | { type: 'session_deleted'; session: string }
  | { type: 'run_changed'; run: Run }
  | { type: 'approval_changed'; approval: Approval }
