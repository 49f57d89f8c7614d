import { chmodSync } from 'node:fs'
import { DatabaseBusy } from './errors.ts'
import { openSqlite } from './sqlite.ts'

/**
 * Takes an exclusive lock on a file (a small database of its own) without waiting. Returns the function that releases
 * it; undefined if another process has the lock. SQLite's locks are the kernel's: they end with the process, however it
 * ends.
 */
export function holdLock(file: string): (() => void) | undefined {
  const db = openSqlite(file)
  try {
    db.pragma('busy_timeout = 0')
    // Avoids a second file beside it: nothing is ever written.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
    chmodSync(file, 0o600)
    return db.close
  } catch (error) {
    db.close()
    if (error instanceof DatabaseBusy) return undefined
    throw error
  }
}
