import type { KeptFile } from './kept-file.ts'

/**
 * `<id>.times` as version 0.1 wrote it: when which bytes of the raw log arrived. Entries of two little-endian doubles,
 * offset and ms since epoch: the bytes from that offset up to the next entry's arrived then. The first entry is
 * (0, start of the process). Only read: `raw-chunks.ts` is what is written now.
 */
const timesEntryBytes = 16

export interface RawTimes {
  /**
   * Ms since epoch when the byte at `offset` arrived. `knownBytes`: how much of the raw log is known to be written.
   * An entry is written before its bytes, so what is answered about them never changes.
   */
  at(offset: number, knownBytes: number): number
  close(): void
}

const blockEntries = 256

/** Made for a reader that goes forward: it keeps one block of entries, and searches only when asked to go back. */
export function openRawTimes(file: KeptFile): RawTimes {
  const block = Buffer.allocUnsafe(blockEntries * timesEntryBytes)
  let blockStart = 0
  let blockLength = 0
  // The entry of the block that answered last.
  let current = 0
  // Below this raw offset no entry can be missing from the block's end.
  let coveredBytes = 0

  const offsetOf = (index: number) => block.readDoubleLE(index * timesEntryBytes)

  const load = (entry: number, writtenBytes: number) => {
    blockStart = entry
    blockLength = Math.floor(file.read(block, block.length, entry * timesEntryBytes) / timesEntryBytes)
    current = 0
    coveredBytes = blockLength < blockEntries ? writtenBytes : offsetOf(blockLength - 1)
  }
  const advance = (offset: number) => {
    while (current + 1 < blockLength && offsetOf(current + 1) <= offset) current++
  }
  const isAnswered = (offset: number) => current + 1 < blockLength || offset < coveredBytes

  return {
    at(offset, knownBytes) {
      const writtenBytes = Math.max(knownBytes, offset + 1)
      if (blockLength === 0 || offset < offsetOf(current)) load(lastEntryAt(file, offset), writtenBytes)
      for (advance(offset); !isAnswered(offset); advance(offset)) load(blockStart + current, writtenBytes)
      return block.readDoubleLE(current * timesEntryBytes + 8)
    },
    close: () => file.close(),
  }
}

/** Index of the last entry whose offset is at most `offset`; the first for what lies before it. */
function lastEntryAt(file: KeptFile, offset: number): number {
  const entry = Buffer.allocUnsafe(8)
  let low = 0
  let high = Math.floor(file.sizeBytes() / timesEntryBytes)
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2)
    file.read(entry, 8, middle * timesEntryBytes)
    if (entry.readDoubleLE(0) <= offset) low = middle
    else high = middle
  }
  return low
}
