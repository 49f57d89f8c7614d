import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import type { ProcessFiles } from './process-files.ts'
import { chunkEntry, chunkEntryBytes, chunksHeader } from './raw-chunks.ts'

/** Appends to a raw log. When `append` returns true, the bytes are in the page cache, visible to every reader. */
export interface RawLogWriter {
  /** The number of bytes written so far. */
  readonly sizeBytes: number
  /**
   * Returns false if the bytes cannot be written now: then it keeps them and retries until they are written, in order.
   */
  append(chunk: Buffer): boolean
  /** Ends the log after the last whole chunk, and discards bytes that could not be written. No `append` may follow. */
  end(): void
  close(): void
}

export interface RawLogHooks {
  /** The log cannot be written. The caller should append nothing until `onRecovered`. */
  onStalled(error: unknown): void
  onRecovered(): void
}

const retryMs = 250

/**
 * Creates `<id>.raw` and `<id>.times`. Throws if one exists or cannot be created; then it removes what it has created.
 */
export function createRawLog(files: ProcessFiles, startedAt: number, hooks: RawLogHooks): RawLogWriter {
  const { raw, times } = createFiles(files, startedAt)
  // Pending writes; empty unless the disk refuses writes. Each write has an explicit position instead of the end of the
  // file: if something has truncated the file, it gets a hole, and the bytes after the hole still match their entries.
  const backlog: { fd: number; bytes: Buffer; position: number }[] = []
  let sizeBytes = 0
  let endOffset = 0
  let timesOffset = chunkEntryBytes
  // The sizes of the two files up to the last chunk that was written completely.
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
      // Write the entry first, so that every readable byte has a time and a checksum.
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
        // The reader reports the rest as damaged.
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
