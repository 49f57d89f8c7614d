import { accessSync, closeSync, constants, openSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { codeOf, meaningOf } from '../os/system-error.ts'
import { DatabaseBusy, DatabaseRefused, DatabaseUnavailable, DiskFull, SyncFailed } from './store.ts'

/** The only file that knows better-sqlite3: synchronous statements whose errors are the store's own classes. */
export interface Sqlite {
  /** A statement whose rows come as objects. */
  prepare<Params extends unknown[], Row = never>(sql: string): Statement<Params, Row>
  /** A statement of which only the first column is wanted. */
  value<Params extends unknown[], Value>(sql: string): Statement<Params, Value>
  exec(sql: string): void
  /** Value of a pragma, or sets it (`name = value`). */
  pragma(text: string): unknown
  /** Everything done in `work` or nothing; the write lock is taken at once. Nested calls are savepoints. */
  transaction<T>(work: () => T): T
  /** Called after each commit, also of a statement by itself. */
  onCommitted(call: () => void): void
  /** The error for what was read and cannot be as it was written. */
  damage(what: string): DatabaseRefused
  close(): void
}

export interface Statement<Params extends unknown[], Row> {
  /** Number of rows changed. */
  run(...params: Params): number
  get(...params: Params): Row | undefined
  all(...params: Params): Row[]
  /** Row by row until `visit` answers false; nothing beyond that row is loaded. `visit` must not write. */
  scan(visit: (row: Row) => boolean, ...params: Params): void
}

/** Opens or creates; nothing is read yet. Waits up to five seconds for another program's lock. */
export function openSqlite(file: string): Sqlite {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw translated(error, file)
    }
  }
  const database = guarded(() => new Database(file, { timeout: 5_000 }))
  const inTransaction = database.transaction((work: () => unknown) => work())
  let committed = () => {}
  const writing = <T>(work: () => T): T => {
    const result = guarded(work)
    if (!database.inTransaction) committed()
    return result
  }

  function statement<Params extends unknown[], Row>(sql: string, plucked: boolean): Statement<Params, Row> {
    const prepared = guarded(() => database.prepare<unknown[], Row>(sql))
    if (plucked) prepared.pluck()
    return {
      run: (...params) => writing(() => prepared.run(...params).changes),
      get: (...params) => guarded(() => prepared.get(...params)),
      all: (...params) => guarded(() => prepared.all(...params)),
      scan: (visit, ...params) =>
        guarded(() => {
          for (const row of prepared.iterate(...params)) if (!visit(row)) break
        }),
    }
  }

  return {
    prepare: sql => statement(sql, false),
    value: sql => statement(sql, true),
    exec: sql => {
      writing(() => database.exec(sql))
    },
    pragma: text => guarded(() => database.pragma(text, { simple: true })),
    transaction: <T>(work: () => T) => writing(() => inTransaction.immediate(work) as T),
    onCommitted: call => void (committed = call),
    damage: what => damaged(file, what),
    close: () => {
      database.close()
    },
  }
}

export const isDamage = (error: unknown) => error instanceof DatabaseRefused && error.reason === 'corrupt'

/** SQLite's own, which none of the store's classes stands for. */
export const isSqliteError = (error: unknown) => error instanceof Database.SqliteError

export const damaged = (file: string, what: string, cause?: unknown) =>
  new DatabaseRefused(
    'corrupt',
    file,
    `${file} is damaged (${what}): put a copy of it in its place, or move it away to begin with an empty one`,
    { cause },
  )

function translated(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  const { code, message } = error
  if (code === 'SQLITE_IOERR_FSYNC' || code === 'SQLITE_IOERR_DIR_FSYNC') {
    return new SyncFailed(`${file} could not be synced to the disk (${code}: ${message})`, { cause: error })
  }
  if (code === 'SQLITE_FULL' || (isMaybeNoSpace(code) && isDiskFull(dirname(file)))) {
    return new DiskFull(`the disk of ${file} is full (${code}: ${message})`, { cause: error })
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new DatabaseBusy(`${file} is locked by another program (${code})`, { cause: error })
  }
  if (code === 'SQLITE_IOERR_READ') {
    const what = `${file} cannot be read (${code}): the disk reports an error: check the disk, and put a copy of the file in its place`
    return new DatabaseRefused('corrupt', file, what, { cause: error })
  }
  if (code.startsWith('SQLITE_CORRUPT') || cutShort.has(code)) return damaged(file, `${code}: ${message}`, error)
  if (isOfTheSystem(code)) {
    const meaning = meaningOf(refusalOf(file, code)) ?? message
    return new DatabaseUnavailable(`${file} cannot be used (${code}): ${meaning}`, { cause: error })
  }
  if (code === 'SQLITE_NOTADB') {
    return new DatabaseRefused('not_muxd', file, `${file} is no SQLite database, or its header is damaged`, {
      cause: error,
    })
  }
  return error
}

/** The file is not as it was written. */
const cutShort = new Set(['SQLITE_IOERR_SHORT_READ', 'SQLITE_IOERR_CORRUPTFS'])

/** The system refuses something; the file itself may be whole. */
const isOfTheSystem = (code: string) => /^SQLITE_(CANTOPEN|IOERR|NOMEM|READONLY|PERM|AUTH)/.test(code)

/**
 * The errno behind an error that SQLite reports without it, found by asking the system again. The database itself is not
 * opened: closing any descriptor of it would give up SQLite's locks.
 */
function refusalOf(file: string, code: string): string | undefined {
  if (code.startsWith('SQLITE_NOMEM')) return 'ENOMEM'
  const asked = [
    () => closeSync(openSync(dirname(file), 'r')),
    () => accessSync(file, constants.R_OK | constants.W_OK),
    () => accessSync(dirname(file), constants.W_OK),
  ]
  for (const ask of asked) {
    try {
      ask()
    } catch (error) {
      return codeOf(error)
    }
  }
  return code.startsWith('SQLITE_IOERR') ? 'EIO' : undefined
}

/** SQLite says SQLITE_FULL for ENOSPC of a write, but not for EDQUOT, nor where it makes or extends its other files. */
function isMaybeNoSpace(code: string): boolean {
  return code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CANTOPEN')
}

/** The errno behind an I/O error is not passed on, so the question is put to the disk again. */
function isDiskFull(directory: string): boolean {
  const probe = join(directory, `.probe-${process.pid}`)
  try {
    writeFileSync(probe, Buffer.alloc(64 * 1024), { mode: 0o600 })
    return false
  } catch (error) {
    return isNoSpace(error)
  } finally {
    rmSync(probe, { force: true })
  }
}

/** An error of `fs` that says there is no room, on the disk or in the user's quota. */
export function isNoSpace(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}
