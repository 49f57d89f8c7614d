import type { KeptFile } from './kept-file.ts'

/**
 * The format of `<id>.times` in version 0.1: the arrival times of the bytes of the raw log. Each entry has two
 * little-endian doubles, an offset and ms since epoch: the bytes from that offset up to the next entry's offset arrived
 * at that time. The first entry is (0, start of the process). muxd only reads this format; it writes the one of
 * `raw-chunks.ts`.
 */
const timesEntryBytes = 16

export interface RawTimes {
  /**
   * Returns when the byte at `offset` arrived, in ms since epoch. `knownBytes` is how much of the raw log is known to
   * be written. An entry is written before its bytes, so the answer for a written byte never changes.
   */
  at(offset: number, knownBytes: number): number
  close(): void
}

const blockEntries = 256

/** Optimised for forward reading: keeps one block of entries, and searches only when a caller goes back. */
export function openRawTimes(file: KeptFile): RawTimes {
  const block = Buffer.allocUnsafe(blockEntries * timesEntryBytes)
  let blockStart = 0
  let blockLength = 0
  // The index in the block of the entry that was used last.
  let current = 0
  // For raw offsets below this one, no further entry can follow the block.
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

/** Returns the index of the last entry whose offset is at most `offset`; 0 for a smaller offset. */
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
