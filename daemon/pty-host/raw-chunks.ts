import { crc32 } from 'node:zlib'
import type { KeptFile } from './kept-file.ts'

/**
 * The format of `<id>.times`, which has one entry for each append to the raw log. The file begins with a header of the
 * size of an entry: the magic, the start of the process (ms since epoch, 48 bits), 6 zero bytes, and a CRC-32 of these.
 * The entries consist of little-endian numbers: offset in the raw log and ms since epoch (48 bits each), then length,
 * CRC-32 of the bytes, and CRC-32 of the entry so far (32 bits each). An entry is written before its bytes, so every
 * byte has one.
 */
export const chunkEntryBytes = 24

const magic = 'muxdraw2'

export function chunksHeader(startedAt: number): Buffer {
  const header = Buffer.alloc(chunkEntryBytes)
  header.write(magic, 'latin1')
  header.writeUIntLE(startedAt, 8, 6)
  return sealed(header)
}

export function chunkEntry(offset: number, time: number, bytes: Buffer): Buffer {
  const entry = Buffer.allocUnsafe(chunkEntryBytes)
  entry.writeUIntLE(offset, 0, 6)
  entry.writeUIntLE(time, 6, 6)
  entry.writeUInt32LE(bytes.length, 12)
  entry.writeUInt32LE(crc32(bytes), 16)
  return sealed(entry)
}

const sealBytes = chunkEntryBytes - 4

function sealed(entry: Buffer): Buffer {
  entry.writeUInt32LE(crc32(entry.subarray(0, sealBytes)), sealBytes)
  return entry
}

const isSealed = (entry: Buffer) => crc32(entry.subarray(0, sealBytes)) === entry.readUInt32LE(sealBytes)

/** One append: the bytes from `offset` up to `end` arrived at `time`. */
export interface RawChunk {
  offset: number
  end: number
  time: number
  crc: number
}

export interface RawChunks {
  /** When the process was started, in ms since epoch; 0 if that cannot be read. */
  readonly startedAt: number
  /** Returns the last chunk that begins at or before `offset`. Skips damaged entries. */
  at(offset: number): RawChunk | undefined
  /** Returns the first chunk that begins after `offset`, if there is one. */
  behind(offset: number): RawChunk | undefined
  /** Returns the end offset of the last chunk; 0 if there is none. */
  endBytes(): number
  close(): void
}

/** Whether the file has this format, not the previous one (`raw-times.ts`). True for a file with a damaged start. */
export function hasChunks(file: KeptFile): boolean {
  const start = Buffer.alloc(16)
  const length = file.read(start, 16, 0)
  // The previous format begins with an offset of 0 and a time. A disk returns only zeros for a block that it has lost.
  return length < 16 || start.readDoubleLE(0) !== 0 || start.readDoubleLE(8) === 0
}

const blockEntries = 256

/** Optimised for forward reading: keeps one block of entries, and searches only when a caller goes back. */
export function openRawChunks(file: KeptFile | undefined): RawChunks {
  const block = Buffer.allocUnsafe(blockEntries * chunkEntryBytes)
  let blockStart = 0
  let blockLength = 0
  // The chunk that was returned last.
  let last: { chunk: RawChunk; index: number } | undefined

  const entry = (index: number): Buffer | undefined => {
    if (index < blockStart || index >= blockStart + blockLength) {
      // Without the file there are no entries.
      const bytes = file?.read(block, block.length, index * chunkEntryBytes) ?? 0
      blockStart = index
      blockLength = Math.floor(bytes / chunkEntryBytes)
      if (blockLength === 0) return undefined
    }
    const start = (index - blockStart) * chunkEntryBytes
    return block.subarray(start, start + chunkEntryBytes)
  }
  /** Returns the first undamaged entry from `index` up to, but not including, `end`. */
  const wholeFrom = (index: number, end = Infinity): { chunk: RawChunk; index: number } | undefined => {
    for (; index < end; index++) {
      const bytes = entry(index)
      if (!bytes) return undefined
      if (isSealed(bytes)) return { chunk: decode(bytes), index }
    }
    return undefined
  }
  const entries = () => Math.floor((file?.sizeBytes() ?? 0) / chunkEntryBytes)

  /**
   * Moves to the last undamaged entry whose chunk begins at or before `offset`, and returns that chunk if there is one.
   */
  const moveTo = (offset: number): RawChunk | undefined => {
    if (last && last.chunk.offset <= offset && offset < last.chunk.end) return last.chunk
    let found = last && last.chunk.offset <= offset ? last : search(offset)
    for (let next = found; next && next.chunk.offset <= offset; next = wholeFrom(next.index + 1)) found = next
    last = found
    return found && found.chunk.offset <= offset ? found.chunk : undefined
  }
  const search = (offset: number) => {
    // Entry 0 is the header.
    let low = 1
    let high = entries()
    while (low + 1 < high) {
      const middle = Math.floor((low + high) / 2)
      const found = wholeFrom(middle, high)
      if (found && found.chunk.offset <= offset) low = found.index
      else high = middle
    }
    return wholeFrom(low)
  }

  const header = entry(0)
  return {
    startedAt: header && isSealed(header) ? header.readUIntLE(8, 6) : 0,
    at: moveTo,
    behind(offset) {
      const at = moveTo(offset)
      return at ? wholeFrom(last!.index + 1)?.chunk : last?.chunk
    },
    endBytes() {
      for (let index = entries() - 1; index > 0; index--) {
        const found = wholeFrom(index, index + 1)
        if (found) return found.chunk.end
      }
      return 0
    },
    close: () => file?.close(),
  }
}

function decode(entry: Buffer): RawChunk {
  const offset = entry.readUIntLE(0, 6)
  return { offset, end: offset + entry.readUInt32LE(12), time: entry.readUIntLE(6, 6), crc: entry.readUInt32LE(16) }
}
