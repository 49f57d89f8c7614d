import { statSync, writeFileSync } from 'node:fs'
import { type Ballast, ballastFile, createBallast } from './disk/ballast.ts'
import { keepLogShort } from './disk/checkpoints.ts'
import { openWalSync, type WalSync } from './disk/wal-sync.ts'
import { createActTable } from './log/act-table.ts'
import { markClosedInOrder } from './log/epoch.ts'
import { createEventTable } from './log/event-table.ts'
import { createHeads } from './log/lost-heads.ts'
import {
  closeOnError,
  type DatabaseOptions,
  type OpenDatabase,
  openDatabase,
  syncFailureFile,
} from './open-database.ts'
import { createApprovalTable } from './records/approval-table.ts'
import { createDeletionTable } from './records/deletion-table.ts'
import { createProcessTable } from './records/process-table.ts'
import { createRequestTable } from './records/request-table.ts'
import { createRunTable } from './records/run-table.ts'
import { createSessionTable } from './records/session-table.ts'
import { createSnapshotTable } from './records/snapshot-table.ts'
import { createUsageTable } from './records/usage-table.ts'
import { createWorkspaceTable } from './records/workspace-table.ts'
import { damaged, DatabaseBusy, DiskFull, SqliteError, SyncFailed } from './sqlite/errors.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export interface StoreOptions extends DatabaseOptions {
  /** Size of the file `ballast` beside the database. */
  ballastBytes?: number
}

/** Pages given back to the file system in one step; each may require another one to be moved. */
const pagesGivenBack = 64

/**
 * Opens the database, or creates it if there is no file; its directory must exist. The caller ensures that no other
 * daemon does the same. Throws `DatabaseRefused` and leaves the file alone, or `DiskFull` if there is not even room to
 * open it.
 */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const ballast = createBallast(ballastFile(file), options.ballastBytes ?? 4 * 1024 * 1024)
  try {
    const opened = openDatabase(file, ballast, options)
    return closeOnError(opened.db, () => assemble(opened, file, ballast, options))
  } catch (error) {
    // The schema is damaged: a table or column is not as it was.
    throw error instanceof SqliteError ? damaged(file, (error as Error).message, error) : error
  }
}

function assemble(
  { db, epoch, lostHeads, index }: OpenDatabase,
  file: string,
  ballast: Ballast,
  { log }: StoreOptions,
): Store {
  const tables = {
    sessions: createSessionTable(db),
    runs: createRunTable(db),
    approvals: createApprovalTable(db),
    processes: createProcessTable(db),
    snapshots: createSnapshotTable(db),
    events: createEventTable(db, createHeads(db, lostHeads), (session, seq) =>
      log?.error('a stored event is damaged', { session, seq }),
    ),
    acts: createActTable(db),
    requests: createRequestTable(db),
    deletions: createDeletionTable(db),
    workspaces: createWorkspaceTable(db),
    usage: createUsageTable(db),
  }
  ballast.restore()
  const pragma = (name: string) => db.pragma(name) as number
  let failure: SyncFailed | undefined
  const syncFailed = (error: SyncFailed) => {
    failure = error
    wal.refuse(error)
    try {
      writeFileSync(syncFailureFile(file), `${error.message}\n`, { mode: 0o600 })
    } catch {
      // Nothing can be written. The next daemon has only the boot id and the readable part of the log to go by.
    }
  }
  const wal = openWalSync(`${file}-wal`, syncFailed)
  keepLogShort(db, index, ballast, syncFailed)
  let closed = false
  return {
    epoch,
    ...tables,
    ballast,
    transaction(work) {
      if (failure !== undefined) throw failure
      try {
        return db.transaction(work)
      } catch (error) {
        if (error instanceof SyncFailed) syncFailed(error)
        throw error
      }
    },
    sync: () => wal.sync(),
    sizeBytes: () => sizeOf(file) + sizeOf(`${file}-wal`),
    usedBytes: () => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size'),
    giveBack() {
      const free = pragma('freelist_count')
      // The pragma frees one page with each step of its statement. Read as a single row, it would free only one page.
      if (free > 0) db.exec(`PRAGMA incremental_vacuum(${pagesGivenBack})`)
      const left = pragma('freelist_count')
      // The file itself shrinks when the log is moved into it.
      if (free > 0 && left === 0 && !ballast.released) db.exec('PRAGMA wal_checkpoint(PASSIVE)')
      return left > 0 && left < free
    },
    makeRoom() {
      ballast.release()
      try {
        db.pragma('wal_checkpoint(TRUNCATE)')
      } catch (error) {
        // If there is no room for pages that are new to the database, the ballast is all that can be gained.
        if (error instanceof SyncFailed) syncFailed(error)
        else if (!(error instanceof DiskFull) && !(error instanceof DatabaseBusy)) throw error
      }
    },
    close({ inOrder } = { inOrder: true }) {
      if (closed) return
      closed = true
      if (inOrder && failure === undefined && !wal.busy) endInOrder(db, wal)
      wal.close()
      // After a failed sync, SQLite would move pages to the database that may not be in the log on the disk, and delete
      // the log.
      if (failure === undefined) db.close()
    },
  }
}

function endInOrder(db: Sqlite, wal: WalSync): void {
  try {
    wal.syncNow()
    markClosedInOrder(db)
  } catch {
    // The disk is full, or worse. If the machine restarts before the next daemon starts, that daemon begins a new
    // epoch.
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
