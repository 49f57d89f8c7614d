import { crc32 } from 'node:zlib'
import { isKept, type KeptFile, openIfKept, openKeptFile } from './kept-file.ts'
import { processFiles } from './process-files.ts'
import { hasChunks, openRawChunks, type RawChunk } from './raw-chunks.ts'
import { openRawTimes } from './raw-times.ts'

/**
 * What a process has printed, byte for byte, as read by whoever translates it. Synchronous: what is read was written a
 * moment ago and is in the page cache. The file grows while it is read; what was once read never changes.
 */
export interface RawLog {
  /**
   * Up to `maxBytes` from `offset` on, of chunks that are whole and as they were appended; empty when there is nothing
   * (yet) or when what stands there is damaged. The buffer is the caller's.
   */
  read(offset: number, maxBytes: number): Buffer
  /** What at `offset` is not what was appended, or is missing; undefined where nothing is wrong or nothing comes (yet). */
  damageAt(offset: number): Damage | undefined
  /** Nothing is written any more: what is incomplete now is damaged. */
  finish(): void
  /** Ms since epoch when the byte at `offset` arrived, of a byte that has been read; before the first (-1): the start of the process. */
  timeAt(offset: number): number
  sizeBytes(): number
  /** The last of what the process wrote to stderr, from the start of a character. */
  stderrTail(maxBytes: number): string
  close(): void
}

export interface Damage {
  bytes: number
  /** The last of what stands there now: not to be trusted. */
  tail: Buffer
}

/**
 * Opens the log of a process that was started in `dir`, running or not. `writtenBytes`: so much of it is known to have
 * been written, and what is missing of it does not come any more. Throws when there is no log and none is known of.
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
/** What is read of a PTY at once, at most: room to compare also the last chunk that is asked for in part. */
const chunkBytes = 64 * 1024

function checked(raw: KeptFile, times: KeptFile | undefined, writtenBytes: number): Content {
  const chunks = openRawChunks(times)
  let known = writtenBytes
  // The chunk that was compared last: one that is read in pieces is compared once.
  let sound: RawChunk | undefined

  /** `limit`: how much is known to have been written, learned before the chunks are looked at. */
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
        // Every byte that is there has an entry: this one's is lost.
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

/** A log of the format before, which has no checksums: only what is missing is found. */
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

// One for all readers: a read is over before the next begins, and one that finds a few bytes does not cost `maxBytes`.
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
