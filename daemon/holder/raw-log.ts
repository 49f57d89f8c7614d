import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { processFiles } from './process-files.ts'
import { openRawTimes } from './raw-times.ts'

/**
 * What a process has printed, byte for byte, as read by whoever translates it. Synchronous: what is read was written a
 * moment ago and is in the page cache. The file grows while it is read; what was once read never changes.
 */
export interface RawLog {
  /** Up to `maxBytes` from `offset` on; empty when there is nothing (yet). The buffer is the caller's. */
  read(offset: number, maxBytes: number): Buffer
  /** Ms since epoch when the byte at `offset` arrived, of a byte that has been read; before the first (-1): the start of the process. */
  timeAt(offset: number): number
  sizeBytes(): number
  /** The last of what the process wrote to stderr, from the start of a character. */
  stderrTail(maxBytes: number): string
  close(): void
}

/** Opens the log of a process that was started in `dir`, running or not. Throws when there is none. */
export function openRawLog(dir: string, id: string): RawLog {
  const files = processFiles(dir, id)
  const fd = openSync(files.raw, 'r')
  const times = openOr(() => openRawTimes(files.times), fd)
  let knownBytes = 0

  return {
    read(offset, maxBytes) {
      const { scratch, length } = readInto(fd, offset, maxBytes)
      knownBytes = Math.max(knownBytes, offset + length)
      return Buffer.from(scratch.subarray(0, length))
    },
    timeAt: offset => times.at(offset, knownBytes),
    sizeBytes: () => fstatSync(fd).size,
    stderrTail: maxBytes => tail(files.err, maxBytes),
    close() {
      closeSync(fd)
      times.close()
    },
  }
}

function openOr<T>(open: () => T, fd: number): T {
  try {
    return open()
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

// One for all readers: a read is over before the next begins, and one that finds a few bytes does not cost `maxBytes`.
let shared = Buffer.alloc(0)

function readInto(fd: number, offset: number, maxBytes: number): { scratch: Buffer; length: number } {
  if (shared.length < maxBytes) shared = Buffer.allocUnsafeSlow(maxBytes)
  return { scratch: shared, length: readSync(fd, shared, 0, maxBytes, offset) }
}

function tail(path: string, maxBytes: number): string {
  const bytes = readFileSync(path)
  let start = Math.max(0, bytes.length - maxBytes)
  while (start > 0 && start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++
  return bytes.toString('utf8', start)
}
