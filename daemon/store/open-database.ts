import { chmodSync, closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Log } from '../log/log.ts'
import { checkTables } from './check-tables.ts'
import type { Ballast } from './disk/ballast.ts'
import { openWalIndex, type WalIndex } from './disk/wal-index.ts'
import { enterEpoch } from './log/epoch.ts'
import { findLostHeads } from './log/lost-heads.ts'
import { createSessionTable } from './records/session-table.ts'
import { prepareSchema } from './schema.ts'
import { DiskFull, SyncFailed } from './sqlite/errors.ts'
import { openSqlite, type Sqlite } from './sqlite/sqlite.ts'

export interface DatabaseOptions {
  /**
   * Identifies the current start of the machine: see `boot-id.ts`. If absent, muxd cannot tell whether the machine has
   * restarted.
   */
  boot?: string | undefined
  log?: Pick<Log, 'warn' | 'error'>
}

export interface OpenDatabase {
  db: Sqlite
  epoch: string
  lostHeads: ReadonlyMap<number, number>
  index: WalIndex
}

/**
 * Opens or creates the file and prepares it for use. Even reading needs room on the disk, for the index of the
 * write-ahead log; on a full disk the ballast is released.
 */
export function openDatabase(file: string, ballast: Ballast, options: DatabaseOptions): OpenDatabase {
  try {
    return openFile(file, options)
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error
    ballast.release()
    return openFile(file, options)
  }
}

/** Runs `work`, and closes the connection if it throws. */
export function closeOnError<T>(db: Sqlite, work: () => T): T {
  try {
    return work()
  } catch (error) {
    db.close()
    throw error
  }
}

function openFile(file: string, { boot, log }: DatabaseOptions): OpenDatabase {
  // SQLite would create it with the umask's mode. It gives its other files the mode of this one.
  if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
  let index = openWalIndex(file)
  const committed = index?.committedPages() ?? 0
  const sqlite = openSqlite(file)
  const db: Sqlite = {
    ...sqlite,
    close() {
      sqlite.close()
      index?.close()
    },
  }
  return closeOnError(db, () => {
    db.pragma('cell_size_check = ON')
    // With the first read, SQLite reads the write-ahead log up to its first damaged frame.
    db.pragma('user_version')
    const isCut = (index?.committedPages() ?? 0) < committed
    prepareSchema(db, file)
    for (const name of [file, `${file}-wal`, `${file}-shm`]) chmodSync(name, 0o600)
    db.pragma('synchronous = NORMAL')
    // In KB. The default depends on how SQLite is compiled: 2 MB in Node, 16 MB in better-sqlite3.
    db.pragma('cache_size = -16000')
    // muxd deletes dependent records itself, in its own order.
    db.pragma('foreign_keys = OFF')
    // The log's file shrinks to this size when it restarts after a large transaction.
    db.pragma('journal_size_limit = 16777216')
    index ??= openWalIndex(file)!
    checkTables(db)
    // Throws if a session cannot be read: without it, nothing that is stored for it can be reported.
    createSessionTable(db).all()
    const lostHeads = findLostHeads(db)
    const unsynced = syncFailureFile(file)
    const known = existsSync(unsynced) ? 'sync' : isCut ? 'damage' : undefined
    const { epoch, loss } = enterEpoch(db, boot, known, lostHeads)
    // Synced before anything is published. Otherwise a power cut could undo the boot id that was just stored along with
    // published events, and the loss would not be noticed.
    syncFile(`${file}-wal`)
    syncFile(dirname(file))
    rmSync(unsynced, { force: true })
    if (loss !== undefined) log?.warn(`${lossText[loss]}: the events have a new epoch`, { file, epoch })
    return { db, epoch, lostHeads, index }
  })
}

const lossText = {
  power: 'the machine went down before the database was closed in order',
  sync: 'a sync of the database failed',
  damage: 'the newest events are damaged',
}

/** Exists from a failed sync until a database with another epoch is on the disk. */
export const syncFailureFile = (file: string) => `${file}-unsynced`

/** Syncs a file, or the names in a directory, so that later syncs need to cover contents only. Throws `SyncFailed`. */
function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } catch (error) {
    throw new SyncFailed(`${path} could not be synced to the disk: ${(error as Error).message}`, { cause: error })
  } finally {
    closeSync(descriptor)
  }
}
