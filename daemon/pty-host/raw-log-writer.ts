import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import type { ProcessFiles } from './process-files.ts'
import { chunkEntry, chunkEntryBytes, chunksHeader } from './raw-chunks.ts'

/** The appending end of a raw log. Bytes are in the page cache, for every reader, when `append` returns true. */
export interface RawLogWriter {
  /** Of what has been written. */
  readonly sizeBytes: number
  /** False when they could not be written (now): they are kept and tried again until they are, in order. */
  append(chunk: Buffer): boolean
  /** Nothing more comes, and what could not be written is given up: the log ends with the last whole chunk. */
  end(): void
  close(): void
}

export interface RawLogHooks {
  /** The disk takes no more: nothing should be appended until `onRecovered`. */
  onStalled(error: unknown): void
  onRecovered(): void
}

const retryMs = 250

/** Creates `<id>.raw` and `<id>.times`; throws when they exist or cannot be made, and then leaves nothing of its own. */
export function createRawLog(files: ProcessFiles, startedAt: number, hooks: RawLogHooks): RawLogWriter {
  const { raw, times } = createFiles(files, startedAt)
  // What is still to be written, and where: something only while the disk takes no more. Each goes to its own place and
  // not to the file's end, so that a file that somebody has cut has a hole there, and what follows it still counts.
  const backlog: { fd: number; bytes: Buffer; position: number }[] = []
  let sizeBytes = 0
  let endOffset = 0
  let timesOffset = chunkEntryBytes
  // Up to where whole chunks have been written, and their entries.
  let whole = { raw: 0, times: chunkEntryBytes }
  let retry: NodeJS.Timeout | undefined

  const flush = () => {
    for (let next = backlog[0]; next; next = backlog[0]) {
      const written = writeSync(next.fd, next.bytes, 0, next.bytes.length, next.position)
      next.position += written
      if (next.fd === raw) sizeBytes = next.position
      if (written < next.bytes.length) {
        next.bytes = next.bytes.subarray(written)
        continue
      }
      backlog.shift()
      if (next.fd === raw) whole = { raw: sizeBytes, times: whole.times + chunkEntryBytes }
    }
  }
  const tryAgain = () => {
    try {
      flush()
    } catch {
      retry = setTimeout(tryAgain, retryMs)
      return
    }
    retry = undefined
    hooks.onRecovered()
  }

  return {
    get sizeBytes() {
      return sizeBytes
    },
    append(chunk) {
      // The entry goes first: a byte that can be read has its time and its checksum.
      const entry = chunkEntry(endOffset, Date.now(), chunk)
      backlog.push({ fd: times, bytes: entry, position: timesOffset }, { fd: raw, bytes: chunk, position: endOffset })
      timesOffset += chunkEntryBytes
      endOffset += chunk.length
      if (retry) return false
      try {
        flush()
        return true
      } catch (error) {
        retry = setTimeout(tryAgain, retryMs)
        hooks.onStalled(error)
        return false
      }
    },
    end() {
      clearTimeout(retry)
      if (backlog.length === 0) return
      backlog.length = 0
      sizeBytes = whole.raw
      try {
        ftruncateSync(raw, whole.raw)
        ftruncateSync(times, whole.times)
      } catch {
        // Then the reader reports the rest as damaged.
      }
    },
    close() {
      clearTimeout(retry)
      closeSync(raw)
      closeSync(times)
    },
  }
}

function createFiles(files: ProcessFiles, startedAt: number): { raw: number; times: number } {
  const raw = openSync(files.raw, 'wx', 0o600)
  let times: number | undefined
  try {
    times = openSync(files.times, 'wx', 0o600)
    writeSync(times, chunksHeader(startedAt))
    return { raw, times }
  } catch (error) {
    closeSync(raw)
    rmSync(files.raw)
    if (times !== undefined) {
      closeSync(times)
      rmSync(files.times)
    }
    throw error
  }
}
