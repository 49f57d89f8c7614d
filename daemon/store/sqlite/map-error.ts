import { accessSync, closeSync, constants, openSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf, isNoSpace, meaningOf } from '../../os/system-error.ts'
import {
  damaged,
  DatabaseBusy,
  DatabaseRefused,
  DatabaseUnavailable,
  DiskFull,
  SqliteError,
  SyncFailed,
} from './errors.ts'

/** Returns the store's error for an engine's error with the extended result code `code`; any other error as it is. */
export function storeError(error: unknown, code: string | undefined, file: string): unknown {
  if (code === undefined) return error
  const { message } = error as Error
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
  return new SqliteError(`${message} (${code})`, { cause: error })
}

/** Codes that mean that the file is not as it was written. */
const cutShort = new Set(['SQLITE_IOERR_SHORT_READ', 'SQLITE_IOERR_CORRUPTFS'])

/** Whether the system refuses something, while the file itself may be whole. */
const isOfTheSystem = (code: string) => /^SQLITE_(CANTOPEN|IOERR|NOMEM|READONLY|PERM|AUTH)/.test(code)

/**
 * Returns the errno behind an error, which SQLite does not report, by asking the system again. Does not open the
 * database: closing any descriptor of it would give up SQLite's locks.
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

/**
 * Whether the code may mean a full disk. SQLite reports SQLITE_FULL for ENOSPC of a write, but neither for EDQUOT nor
 * when it creates or extends its other files.
 */
function isMaybeNoSpace(code: string): boolean {
  return code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CANTOPEN')
}

/** Tests by a write whether the disk is full, because SQLite does not pass on the errno of an I/O error. */
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
