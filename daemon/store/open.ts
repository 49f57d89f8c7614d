import { statSync, writeFileSync } from 'node:fs'
import type { Log } from '../log/log.ts'
import { createApprovalTable } from './approval-table.ts'
import { ballastFile, createBallast } from './ballast.ts'
import { keepLogShort } from './checkpoints.ts'
import { createDeletionTable } from './deletion-table.ts'
import { markClosedInOrder } from './epoch.ts'
import { createEventTable } from './event-table.ts'
import { createHeads } from './lost-heads.ts'
import { type Opened, openDatabase, syncFailureFile, whole } from './open-database.ts'
import { createProcessTable } from './process-table.ts'
import { createRequestTable } from './request-table.ts'
import { createRunTable } from './run-table.ts'
import { createSessionTable } from './session-table.ts'
import { createSnapshotTable } from './snapshot-table.ts'
import { damaged, SqliteError } from './sqlite/errors.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import { DatabaseBusy, DiskFull, SyncFailed, type Ballast, type Store } from './store.ts'
import { createUsageTable } from './usage-table.ts'
import { openWalSync, type WalSync } from './wal-sync.ts'
import { createWorkspaceTable } from './workspace-table.ts'

export interface StoreOptions {
  /** Size of the file `ballast` beside the database. */
  ballastBytes?: number
  /** Which start of the machine this is: see `boot-id.ts`. Absent: it cannot be told from the one before. */
  boot?: string | undefined
  log?: Pick<Log, 'warn' | 'error'>
}

/** Pages given back to the file system in one step: each may have to move another. */
const pagesGivenBack = 64

/**
 * Opens the database, or makes it where there is no file; its directory must exist. The caller makes sure that it is
 * the only daemon to do so. Throws `DatabaseRefused` and leaves the file alone, or `DiskFull` when there is not even
 * room to open it.
 */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const ballast = createBallast(ballastFile(file), options.ballastBytes ?? 4 * 1024 * 1024)
  try {
    const opened = openDatabase(file, ballast, options)
    return whole(opened.db, () => assemble(opened, file, ballast, options))
  } catch (error) {
    // Damage of the schema: a table or column is not as it was.
    throw error instanceof SqliteError ? damaged(file, (error as Error).message, error) : error
  }
}

function assemble(
  { db, epoch, lostHeads, index }: Opened,
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
      // The disk takes nothing more: the boot id and what can be read of the log are all that the next daemon has.
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
      // The pragma frees a page a step: as a statement of which one row is read it would free one.
      if (free > 0) db.exec(`PRAGMA incremental_vacuum(${pagesGivenBack})`)
      const left = pragma('freelist_count')
      // The file itself is cut when the log has been moved into it.
      if (free > 0 && left === 0 && !ballast.released) db.exec('PRAGMA wal_checkpoint(PASSIVE)')
      return left > 0 && left < free
    },
    makeRoom() {
      ballast.release()
      try {
        db.pragma('wal_checkpoint(TRUNCATE)')
      } catch (error) {
        // Without room for the pages that are new to the database, the ballast is all there is.
        if (error instanceof SyncFailed) syncFailed(error)
        else if (!(error instanceof DiskFull) && !(error instanceof DatabaseBusy)) throw error
      }
    },
    close({ inOrder } = { inOrder: true }) {
      if (closed) return
      closed = true
      if (inOrder && failure === undefined && !wal.busy) endInOrder(db, wal)
      wal.close()
      // SQLite would move to the database what may not be in the log, and the log would be gone.
      if (failure === undefined) db.close()
    },
  }
}

function endInOrder(db: Sqlite, wal: WalSync): void {
  try {
    wal.syncNow()
    markClosedInOrder(db)
  } catch {
    // The disk is full, or worse: if the machine is started anew before the next daemon, that one begins a new epoch.
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
