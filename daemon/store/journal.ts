import type { Approval, Run, Session } from '../../protocol/index.ts'
import type { PublishedView } from './published-view.ts'
import type { EventRow, KeptAnswer, StoredApproval, StoredProcess, StoredRun, StoredSnapshot } from './store.ts'

/**
 * The only way into the log: commit, then publish. The entries of one event-loop turn, over all sessions, are committed
 * in one transaction and then published in order. An entry with `durable` and the later entries of its session are
 * published once the disk has it; nothing else waits for that.
 */
export interface Journal {
  append(entry: JournalEntry): void
  /**
   * Commits what is pending now instead of at the end of the turn (before an answer that promises it), and publishes
   * it, except for entries that wait for the disk. `onFailed` is called before it returns. If it is called from within
   * a callback of the journal, the flush that is under way does the publishing.
   */
  flush(): void
  /**
   * Resolves when everything appended so far is committed, synced and published. Rejects when a sync fails or has
   * failed: then nothing is published any more, and every further entry fails.
   */
  settled(): Promise<void>
  /** The records as readers may see them. */
  readonly view: PublishedView
}

export interface JournalEntry {
  session: string
  events: readonly EventRow[]
  /** Records saved in the same transaction; published as `session_changed`, `run_changed` and `approval_changed`. */
  sessionRecord?: Session
  /** `sessionRecord` is a new session: published as `session_created`, before the entry's events. */
  created?: boolean
  runs?: readonly StoredRun[]
  approvals?: readonly StoredApproval[]
  process?: StoredProcess
  /** The answer to the call that caused this entry, stored with its effect: neither is found without the other. */
  answer?: KeptAnswer
  /** Raw log offset up to which `events` have been derived. */
  checkpoint?: { process: string; offset: number }
  /** A snapshot of the session that includes `events`. */
  snapshot?: StoredSnapshot
  /**
   * The session is removed with everything stored for it, after all other changes of the entry; published as
   * `session_deleted`.
   */
  deleted?: boolean
  /**
   * The entry holds a terminal event or a deletion: it is published once it is on the disk, and stored even when the
   * disk is full.
   */
  durable: boolean
  /** The entry is committed and, if durable, on disk: readers may see it. */
  onPublished?(): void
  /**
   * Nothing of this entry is stored (`DiskFull`, `DatabaseBusy`, `SyncFailed` or a bug). Entries that the session
   * appended after it in the same turn fail with the same error, so that `seq` has no hole.
   */
  onFailed(error: unknown): void
}

/** Receives what becomes visible: `topics/` serves it. */
export interface Publisher {
  sessionEvents(session: string, events: readonly EventRow[]): void
  record(record: RecordBody): void
}
export type RecordBody =
  | { type: 'session_created' | 'session_changed'; session: Session }
  | { type: 'session_deleted'; session: string }
  | { type: 'run_changed'; run: Run }
  | { type: 'approval_changed'; approval: Approval }
