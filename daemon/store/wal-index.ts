import { readFileSync } from 'node:fs'

/**
 * How many pages the write-ahead log holds of commits, as its index says: SQLite keeps that in `-shm`, which outlives a
 * process that is killed. Read before the database is opened, it says what must be found in the log; afterwards, what
 * was. 0 where there is no index.
 */
export function committedPages(file: string): number {
  let index: Buffer
  try {
    index = readFileSync(`${file}-shm`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
  if (index.length < 2 * headerBytes) return 0
  // Written twice, one after the other, in this machine's order: what both say has been committed.
  const [first, second] = [0, headerBytes].map(at => {
    const copy = new Uint32Array(new Uint8Array(index.subarray(at, at + headerBytes)).buffer)
    return copy[0] === version ? copy[committedAt]! : 0
  })
  return Math.min(first!, second!)
}

const headerBytes = 48
/** Of the format: the only one there has been. */
const version = 3_007_000
/** `mxFrame`, in words of four bytes. */
const committedAt = 4
