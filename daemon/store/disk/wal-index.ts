import { closeSync, openSync, readSync } from 'node:fs'

/** The index of a database's write-ahead log. */
export interface WalIndex {
  /** Number of committed pages that the log holds, according to the index now. */
  committedPages(): number
  /** Must not be called while the database is open: closing any descriptor gives up SQLite's locks on the file. */
  close(): void
}

/**
 * Opens the file `-shm`, in which SQLite keeps how far the log is committed. The file outlives a killed process. Before
 * the database is opened it says what the log must hold; afterwards the same file says what was found. Returns
 * undefined if there is no such file: then no commit was interrupted.
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
      // The header is stored twice, in this machine's byte order. The pages that both copies count have been committed.
      const copies = [words.subarray(0, headerBytes / 4), words.subarray(headerBytes / 4)]
      return Math.min(...copies.map(copy => (copy[0] === version ? copy[committedAt]! : 0)))
    },
    close: () => closeSync(descriptor),
  }
}

const headerBytes = 48
/** Version of the format, the only one there has been. */
const version = 3_007_000
/** Position of `mxFrame`, in words of four bytes. */
const committedAt = 4
