import { crc32 } from 'node:zlib'
import { isKept, type KeptFile, openIfKept, openKeptFile } from './kept-file.ts'
import { processFiles } from './process-files.ts'
import { hasChunks, openRawChunks, type RawChunk } from './raw-chunks.ts'
import { openRawTimes } from './raw-times.ts'

/**
 * Reads the raw log: the output of a process, byte for byte. Synchronous, because the bytes were written a moment ago
 * and are in the page cache. The file grows while it is read; bytes that were read once do not change.
 */
export interface RawLog {
  /**
   * Returns up to `maxBytes` from `offset`, only from complete chunks that match their checksums. Returns an empty
   * buffer if there is nothing (yet) or the bytes are damaged. The caller owns the buffer.
   */
  read(offset: number, maxBytes: number): Buffer
  /**
   * Returns the damaged or missing part that begins at `offset`; undefined if the bytes are sound or not written (yet).
   */
  damageAt(offset: number): Damage | undefined
  /** Marks the log as complete: from now on, an incomplete chunk counts as damaged. */
  finish(): void
  /**
   * Returns when the byte at `offset` arrived, in ms since epoch. The byte must have been read. For offset -1, returns
   * the start of the process.
   */
  timeAt(offset: number): number
  sizeBytes(): number
  /** Returns the last `maxBytes` bytes of the process's stderr, from the start of a character. */
  stderrTail(maxBytes: number): string
  close(): void
}

export interface Damage {
  bytes: number
  /** The last bytes of the damaged part as they are now (256 at most). Not trustworthy. */
  tail: Buffer
}

/**
 * Opens the log of a process that was started in `dir`, running or not. At least `writtenBytes` bytes are known to have
 * been written; any that are missing count as damaged. Throws if there is no log and `writtenBytes` is 0.
 */
export function openRawLog(dir: string, id: string, writtenBytes = 0): RawLog {
  const files = processFiles(dir, id)
  const raw = writtenBytes > 0 && !isKept(files) ? nothing : openKeptFile(files, 'raw')
  try {
    const times = openIfKept(files, 'times')
    const content =
      times === undefined || hasChunks(times) ? checked(raw, times, writtenBytes) : unchecked(raw, times, writtenBytes)
    return {
      ...content,
      sizeBytes: () => raw.sizeBytes(),
      stderrTail: maxBytes => tail(openIfKept(files, 'err'), maxBytes),
      close() {
        raw.close()
        content.close()
      },
    }
  } catch (error) {
    raw.close()
    throw error
  }
}

const nothing: KeptFile = { read: () => 0, sizeBytes: () => 0, close: () => {} }

type Content = Pick<RawLog, 'read' | 'damageAt' | 'finish' | 'timeAt' | 'close'>

const tailBytes = 256
/** The largest read of a PTY. `read` reads this much more, to verify the last chunk if only a part is requested. */
const chunkBytes = 64 * 1024

function checked(raw: KeptFile, times: KeptFile | undefined, writtenBytes: number): Content {
  const chunks = openRawChunks(times)
  let known = writtenBytes
  // The chunk that was verified last, so that a chunk that is read in pieces is verified once.
  let sound: RawChunk | undefined

  /** `limit` is how much is known to have been written. The caller determines it before it reads the entries. */
  const chunkAt = (offset: number, limit: number) => {
    const chunk = chunks.at(offset)
    return chunk && offset < chunk.end && chunk.end <= limit ? chunk : undefined
  }
  const limitNow = () => Math.max(known, raw.sizeBytes())
  const isSound = (chunk: RawChunk, bytes: Buffer) => {
    if (sound?.offset === chunk.offset) return true
    if (bytes.length !== chunk.end - chunk.offset || crc32(bytes) !== chunk.crc) return false
    sound = chunk
    return true
  }

  return {
    read(offset, maxBytes) {
      const limit = limitNow()
      const first = chunkAt(offset, limit)
      if (!first) return Buffer.alloc(0)
      const start = first.offset
      const bytes = readInto(raw, start, Math.max(first.end - start, offset - start + maxBytes + chunkBytes))
      let end = start
      for (let chunk: RawChunk | undefined = first; chunk; chunk = chunkAt(end, limit)) {
        if (
          chunk.end - start > bytes.length ||
          !isSound(chunk, bytes.subarray(chunk.offset - start, chunk.end - start))
        )
          break
        end = chunk.end
      }
      return Buffer.from(bytes.subarray(offset - start, Math.min(end - start, offset - start + maxBytes)))
    },
    damageAt(offset) {
      const limit = limitNow()
      const chunk = chunks.at(offset)
      let end = limit
      if (chunk && offset < chunk.end) {
        if (chunk.end > limit) return undefined
        if (isSound(chunk, readInto(raw, chunk.offset, chunk.end - chunk.offset))) return undefined
        end = chunk.end
      } else {
        // Every written byte has an entry, so the entry of this byte is lost.
        const behind = chunks.behind(offset)
        if (behind) end = Math.min(limit, behind.offset)
      }
      if (end <= offset) return undefined
      const start = Math.max(offset, end - tailBytes)
      return { bytes: end - offset, tail: Buffer.from(readInto(raw, start, end - start)) }
    },
    finish() {
      known = Math.max(limitNow(), chunks.endBytes())
    },
    timeAt: offset => chunks.at(offset)?.time ?? chunks.startedAt,
    close: () => chunks.close(),
  }
}

/** Reads a log of the previous format, which has no checksums. It detects missing bytes only. */
function unchecked(raw: KeptFile, file: KeptFile, writtenBytes: number): Content {
  const times = openRawTimes(file)
  let knownBytes = 0
  return {
    read(offset, maxBytes) {
      const bytes = readInto(raw, offset, maxBytes)
      knownBytes = Math.max(knownBytes, offset + bytes.length)
      return Buffer.from(bytes)
    },
    damageAt(offset) {
      const isMissing = offset < writtenBytes && offset >= raw.sizeBytes()
      return isMissing ? { bytes: writtenBytes - offset, tail: Buffer.alloc(0) } : undefined
    },
    finish: () => {},
    timeAt: offset => times.at(offset, knownBytes),
    close: () => times.close(),
  }
}

// One buffer for all readers: reads do not overlap, and a read that finds a few bytes need not allocate `maxBytes`.
let shared = Buffer.alloc(0)

/** Valid until the next call. */
function readInto(raw: KeptFile, offset: number, maxBytes: number): Buffer {
  if (shared.length < maxBytes) shared = Buffer.allocUnsafeSlow(maxBytes)
  return shared.subarray(0, raw.read(shared, maxBytes, offset))
}

function tail(file: KeptFile | undefined, maxBytes: number): string {
  if (!file) return ''
  const isCut = file.sizeBytes() > maxBytes
  const bytes = Buffer.alloc(maxBytes)
  const length = file.read(bytes, maxBytes, isCut ? file.sizeBytes() - maxBytes : 0)
  file.close()
  let start = 0
  while (isCut && start < length && (bytes[start]! & 0xc0) === 0x80) start++
  return bytes.toString('utf8', start, length)
}
