import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import type { ProcessFiles } from './process-files.ts'
import { timesEntry } from './raw-times.ts'

/** The appending end of a raw log. Bytes are in the page cache, for every reader, when `append` returns true. */
export interface RawLogWriter {
  /** Of what has been written. */
  readonly sizeBytes: number
  /** False when they could not be written (now): they are kept and tried again until they are, in order. */
  append(chunk: Buffer): boolean
  /** Gives up what could not be written. */
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
  // What is still to be written: something only while the disk takes no more.
  const backlog: { fd: number; bytes: Buffer }[] = []
  let sizeBytes = 0
  let endOffset = 0
  let lastTime = startedAt
  let retry: NodeJS.Timeout | undefined

  const flush = () => {
    for (let next = backlog[0]; next; next = backlog[0]) {
      const written = writeSync(next.fd, next.bytes)
      if (next.fd === raw) sizeBytes += written
      if (written === next.bytes.length) backlog.shift()
      else next.bytes = next.bytes.subarray(written)
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
      // Reads within one millisecond share an entry. It goes first: a byte that can be read has its time.
      const now = Date.now()
      if (now !== lastTime) backlog.push({ fd: times, bytes: timesEntry(endOffset, now) })
      lastTime = now
      backlog.push({ fd: raw, bytes: chunk })
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
    close() {
      clearTimeout(retry)
      closeSync(raw)
      closeSync(times)
    },
  }
}

function createFiles(files: ProcessFiles, startedAt: number): { raw: number; times: number } {
  const raw = openSync(files.raw, 'ax', 0o600)
  let times: number | undefined
  try {
    times = openSync(files.times, 'ax', 0o600)
    writeSync(times, timesEntry(0, startedAt))
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
