import type { Session } from '../../../protocol/index.ts'
import type {
  ActRow,
  EventRow,
  KeptAnswer,
  StoredApproval,
  StoredProcess,
  StoredRun,
  StoredSnapshot,
} from '../store.ts'

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
  /** Decisions that `events` follow from. */
  acts?: readonly ActRow[]
  /** The answers to the calls that caused this entry, stored with its effect: neither is found without the other. */
  answers?: readonly KeptAnswer[]
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
  /**
   * Called when the entry is committed: its effects may run. The entry survives a killed daemon, but a power cut may
   * undo it. Called in the order of the commits, and before anything of the entry is published.
   */
  onCommitted?(): void
  /** Called when the entry is committed and, if durable, on disk: readers may see it. */
  onPublished?(): void
  /**
   * Called when nothing of this entry is stored (`DiskFull`, `DatabaseBusy`, `SyncFailed` or a bug). Entries that the
   * session appended after it in the same turn fail with the same error, so that `seq` has no hole.
   */
  onFailed(error: unknown): void
}
