import { randomFillSync } from 'node:crypto'
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isNoSpace } from '../../os/system-error.ts'

/** Disk space held in reserve, so that terminal events can still be stored when the disk is full. */
export interface Ballast {
  /** The space has been released. Until it is restored, only terminal events and deletions should be written. */
  readonly released: boolean
  /** Gives the space to the database. */
  release(): void
  /**
   * Takes the space back if there is room for it twice. Cheap to call often. Returns whether the space is held (again).
   */
  restore(): boolean
}

/** How long `restore` rests after a failed attempt. The disk may seem to have room and still refuse (a quota). */
const retryMs = 1_000

export const ballastFile = (database: string): string => join(dirname(database), 'ballast')

/**
 * A file that occupies disk space until it is needed. The first `restore` creates it. With `sizeBytes` 0 there is no
 * file, only the bookkeeping.
 */
export function createBallast(file: string, sizeBytes: number): Ballast {
  let released = true
  let restAt = -Infinity

  return {
    get released() {
      return released
    },
    release() {
      rmSync(file, { force: true })
      released = true
    },
    restore() {
      if (!released) return true
      if (performance.now() - restAt < retryMs) return false
      if (isThere(file, sizeBytes) || (hasRoom(file, sizeBytes) && take(file, sizeBytes))) released = false
      else restAt = performance.now()
      return !released
    },
  }
}

function isThere(file: string, sizeBytes: number): boolean {
  return sizeBytes > 0 && statSync(file, { throwIfNoEntry: false })?.size === sizeBytes
}

/** Requires twice the file's size, so that taking it does not fill the disk again at once. */
function hasRoom(file: string, sizeBytes: number): boolean {
  const { bavail, bsize } = statfsSync(dirname(file))
  return bavail * bsize >= 2 * Math.max(sizeBytes, 1)
}

/** Writes random bytes, because a file system may store zeros or repetitions as nothing. */
function take(file: string, sizeBytes: number): boolean {
  if (sizeBytes === 0) return true
  try {
    writeFileSync(file, randomFillSync(Buffer.allocUnsafe(sizeBytes)), { mode: 0o600 })
    return true
  } catch (error) {
    rmSync(file, { force: true })
    if (isNoSpace(error)) return false
    throw error
  }
}
