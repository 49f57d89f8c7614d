/** The disk is full (SQLITE_FULL, ENOSPC, EDQUOT) and the write did not happen. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
}

/**
 * The disk refused to sync: it is unknown which of the last writes it holds. The daemon must end, and the next one
 * begins with what is on the disk. A repeated sync would succeed without those writes.
 */
export class SyncFailed extends Error {
  override readonly name = 'SyncFailed'
}

/** Another program holds the database's lock. Nothing was written; the same may succeed later. */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy'
}

/**
 * The system does not allow use of the database now: too many open files, a read-only file system, no permission. As
 * far as is known, the file is in order. The message names the file and what to do.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/**
 * The database cannot be used, and is left as it is: `not_muxd` (some other file), `newer` (written by a newer muxd:
 * update this one), `corrupt`. The message names the file and what to do.
 */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused'
  readonly reason: 'not_muxd' | 'newer' | 'corrupt'
  readonly file: string
  constructor(reason: DatabaseRefused['reason'], file: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.file = file
  }
}

/** A call stores or lists relative to a record that does not exist (any more). The message names the record. */
export class UnknownRecord extends Error {
  override readonly name = 'UnknownRecord'
}

/** An error of SQLite for which the store has no class of its own. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError'
}

export const isDamage = (error: unknown) => error instanceof DatabaseRefused && error.reason === 'corrupt'

export const damaged = (file: string, what: string, cause?: unknown) =>
  new DatabaseRefused(
    'corrupt',
    file,
    `${file} is damaged (${what}): put a copy of it in its place, or move it away to begin with an empty one`,
    { cause },
  )
