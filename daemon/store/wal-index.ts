import { closeSync, openSync, readSync } from 'node:fs'

/** The index of the write-ahead log that is there before a database is opened. */
export interface WalIndex {
  /** How many pages the log holds of commits, as the index says now. */
  committedPages(): number
  /** Not while the database is open: closing any descriptor gives up SQLite's locks on the file. */
  close(): void
}

/**
 * SQLite keeps in `-shm` how far the log is committed, and the file outlives a process that is killed. Before the
 * database is opened it says what must be found in the log; afterwards, in the same file, what was. Undefined where
 * there is none: nobody was in the middle of anything.
 */
export function openWalIndex(file: string): WalIndex | undefined {
  let descriptor: number
  try {
    descriptor = openSync(`${file}-shm`, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return {
    committedPages() {
      const words = new Uint32Array((2 * headerBytes) / 4)
      if (readSync(descriptor, words, 0, words.byteLength, 0) < words.byteLength) return 0
      // The header is there twice, in this machine's order of bytes: what both say has been committed.
      const copies = [words.subarray(0, headerBytes / 4), words.subarray(headerBytes / 4)]
      return Math.min(...copies.map(copy => (copy[0] === version ? copy[committedAt]! : 0)))
    },
    close: () => closeSync(descriptor),
  }
}

const headerBytes = 48
/** Of the format: the only one there has been. */
const version = 3_007_000
/** `mxFrame`, in words of four bytes. */
const committedAt = 4
