import { chmodSync, closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createBallast } from './ballast.ts'
import { createDeletionTable } from './deletion-table.ts'
import { createEventTable } from './event-table.ts'
import { createProcessTable } from './process-table.ts'
import { createRequestTable } from './request-table.ts'
import { createRunTable } from './run-table.ts'
import { prepareSchema } from './schema.ts'
import { createSessionTable } from './session-table.ts'
import { openSqlite, type Sqlite } from './sqlite.ts'
import { DiskFull, type Ballast, type Store } from './store.ts'
import { openWalSync } from './wal-sync.ts'

export interface StoreOptions {
  /** Size of the file `ballast` beside the database. */
  ballastBytes?: number
}

/** Pages in the write-ahead log (4 KB each) after which a commit also moves them to the database. SQLite's default. */
const checkpointPages = 1_000
/** Pages given back to the file system in one step: each may have to move another. */
const pagesGivenBack = 64

/**
 * Opens the database, or makes it where there is no file; its directory must exist. The caller makes sure that it is
 * the only daemon to do so. Throws `DatabaseRefused` and leaves the file alone, or `DiskFull` when there is not even
 * room to open it.
 */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const ballast = createBallast(join(dirname(file), 'ballast'), options.ballastBytes ?? 4 * 1024 * 1024)
  const db = openWithRoom(file, ballast)
  try {
    return assemble(db, file, ballast)
  } catch (error) {
    db.close()
    throw error
  }
}

/** Even reading needs room, for the index of the write-ahead log. */
function openWithRoom(file: string, ballast: Ballast): Sqlite {
  try {
    return openDatabase(file)
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error
    ballast.release()
    return openDatabase(file)
  }
}

function openDatabase(file: string): Sqlite {
  // SQLite would make it with the umask's mode. It gives its other files the mode of this one.
  if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600))
  const db = openSqlite(file)
  try {
    prepareSchema(db, file)
    for (const name of [file, `${file}-wal`, `${file}-shm`]) chmodSync(name, 0o600)
    db.pragma('synchronous = NORMAL')
    // Records are removed by hand, in an order that is ours.
    db.pragma('foreign_keys = OFF')
    // The log's file shrinks to this when it starts anew after something large.
    db.pragma('journal_size_limit = 16777216')
    syncDirectory(dirname(file))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Once, so that a power cut does not take the new files' names: later syncs are of their contents only. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function assemble(db: Sqlite, file: string, space: Ballast): Store {
  const epoch = db.value<[], string>(`SELECT value FROM meta WHERE name = 'epoch'`).get()!
  const tables = {
    sessions: createSessionTable(db),
    runs: createRunTable(db),
    processes: createProcessTable(db),
    events: createEventTable(db),
    requests: createRequestTable(db),
    deletions: createDeletionTable(db),
  }
  const ballast = withoutCheckpoints(db, space)
  ballast.restore()
  const pragma = (name: string) => db.pragma(name) as number
  const wal = openWalSync(`${file}-wal`)
  let closed = false
  return {
    epoch,
    ...tables,
    ballast,
    transaction: work => db.transaction(work),
    sync: () => wal.sync(),
    sizeBytes: () => sizeOf(file) + sizeOf(`${file}-wal`),
    usedBytes: () => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size'),
    giveBack() {
      const free = pragma('freelist_count')
      // The pragma frees a page a step: as a statement of which one row is read it would free one.
      if (free > 0) db.exec(`PRAGMA incremental_vacuum(${pagesGivenBack})`)
      const left = pragma('freelist_count')
      return left > 0 && left < free
    },
    close() {
      if (closed) return
      closed = true
      wal.close()
      db.close()
    },
  }
}

/**
 * While the ballast is given up, its space is for the write-ahead log alone: a checkpoint would first spend it on the
 * pages of what is stored already, and the terminal events would find none.
 */
function withoutCheckpoints(db: Sqlite, ballast: Ballast): Ballast {
  const adjust = () => db.pragma(`wal_autocheckpoint = ${ballast.released ? 0 : checkpointPages}`)
  adjust()
  return {
    get released() {
      return ballast.released
    },
    release() {
      ballast.release()
      adjust()
    },
    restore() {
      const before = ballast.released
      const held = ballast.restore()
      if (before && held) adjust()
      return held
    },
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
