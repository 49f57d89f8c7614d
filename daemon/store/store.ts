import type { Ballast } from './disk/ballast.ts'
import type { ActTable } from './log/act-table.ts'
import type { EventTable } from './log/event-table.ts'
import type { ApprovalTable } from './records/approval-table.ts'
import type { DeletionTable } from './records/deletion-table.ts'
import type { ProcessTable } from './records/process-table.ts'
import type { RequestTable } from './records/request-table.ts'
import type { RunTable } from './records/run-table.ts'
import type { SessionTable } from './records/session-table.ts'
import type { SnapshotTable } from './records/snapshot-table.ts'
import type { UsageTable } from './records/usage-table.ts'
import type { WorkspaceTable } from './records/workspace-table.ts'

// The types and errors of the inner folders that the rest of the daemon uses.
export type { ActRow } from './log/act-table.ts'
export type { EventRow, EventTable } from './log/event-table.ts'
export type { StoredApproval } from './records/approval-table.ts'
export type { Listed } from './records/pager.ts'
export type { ProcessTable, StoredProcess } from './records/process-table.ts'
export type { KeptAnswer, RequestTable } from './records/request-table.ts'
export type { StoredRun } from './records/run-table.ts'
export type { SessionFilter } from './records/session-table.ts'
export type { SnapshotTable, StoredSnapshot } from './records/snapshot-table.ts'
export type { UsageSum, UsageTable } from './records/usage-table.ts'
export type { WorkspaceTable } from './records/workspace-table.ts'
export {
  DatabaseBusy,
  DatabaseRefused,
  DatabaseUnavailable,
  DiskFull,
  isDamage,
  SyncFailed,
  UnknownRecord,
} from './sqlite/errors.ts'

/**
 * SQLite behind a few synchronous members. The daemon opens it once, through `open.ts`. Every write may throw
 * `DiskFull`, and `DatabaseBusy` after five seconds of waiting; every call may throw `DatabaseRefused` (`corrupt`)
 * or `DatabaseUnavailable`.
 */
export interface Store {
  /** Identifies this database's numbering: a `seq` of another epoch has no meaning here. See `epoch.ts`. */
  readonly epoch: string
  readonly sessions: SessionTable
  readonly runs: RunTable
  readonly approvals: ApprovalTable
  readonly processes: ProcessTable
  readonly snapshots: SnapshotTable
  readonly events: EventTable
  readonly acts: ActTable
  readonly requests: RequestTable
  readonly usage: UsageTable
  readonly deletions: DeletionTable
  readonly workspaces: WorkspaceTable
  readonly ballast: Ballast
  /** Does everything in `work` (synchronous) or nothing. After a failed sync, throws that `SyncFailed`. */
  transaction<T>(work: () => T): T
  /**
   * Resolves when everything committed before the call is on the disk. Does not block; calls share a sync. Rejects with
   * `SyncFailed` if the disk refused: from then on nothing is synced or stored any more.
   */
  sync(): Promise<void>
  /** Bytes of the database with its write-ahead log. */
  sizeBytes(): number
  /** Bytes of the pages in use. Deletions reduce this at once; the file shrinks when space is given back. */
  usedBytes(): number
  /**
   * Gives some free pages back to the file system, which takes about a millisecond. Returns false when no more can be
   * given back. If no free page is left and the ballast is held, the file has become shorter.
   */
  giveBack(): boolean
  /**
   * Makes room on a full disk for work that frees space: releases the ballast, moves the write-ahead log to the
   * database and gives the log's space back. Space that deletions have freed in the database is given back by
   * `giveBack` and then this.
   */
  makeRoom(): void
  /** `inOrder: false`: files of the home (raw logs) are still being written and are not synced. */
  close(how?: { inOrder: boolean }): void
}
