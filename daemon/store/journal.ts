import type { Run, Session } from '../../protocol/index.ts'
import type { EventRow, StoredProcess, StoredRun } from './store.ts'

/**
 * The one way into the log: commit, then publish. Entries of one event-loop turn, over all sessions, are committed in
 * one transaction; after it each is published in order. An entry with `durable` (it holds a terminal event) and
 * whatever its session appends after it are published once the disk has it; nothing else waits for that.
 */
export interface Journal {
  append(entry: JournalEntry): void
  /** Commits what is pending now instead of at the end of the turn (before an answer that promises it). */
  flush(): void
  /** Resolves when everything appended so far is committed, synced and published. */
  settled(): Promise<void>
}

export interface JournalEntry {
  session: string
  events: readonly EventRow[]
  /** Records saved in the same transaction. */
  sessionRecord?: Session
  runs?: readonly StoredRun[]
  process?: StoredProcess
  /** Raw offset up to which `events` have been derived. */
  checkpoint?: { process: string; offset: number }
  durable: boolean
  /** Committed and, if durable, on disk: readers may see it. */
  onPublished?(): void
  /** The transaction failed for this entry alone (`DiskFull` or a bug); nothing of it is stored. */
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
