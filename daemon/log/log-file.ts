import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Where lines of a log go: `FILE`, and the lines before in `FILE.1` (the latest) and upwards. */
export interface LogFile {
  /** Appends a line, which ends in a newline. Never throws: a line that the disk does not take is lost, and counted. */
  write(line: string): void
  close(): void
}

/** A disk that takes nothing is not asked again before. */
const retryMs = 1_000

/**
 * A log of at most `files` files (the present one included) of about `maxBytes` each, mode 0600. A line is in the page
 * cache when `write` returns, so that the last words of a process that is killed are there to be read; that is also why
 * the writes are synchronous. Opened with the first line: who only finds out that another is running leaves no trace.
 */
export function createLogFile(options: {
  path: string
  maxBytes: number
  /** 1 and more. */
  files: number
  now?: () => number
}): LogFile {
  const { path, maxBytes, files, now = Date.now } = options
  let file: { fd: number; sizeBytes: number; isCut: boolean } | undefined
  let lost = 0
  let resumeAt = 0

  const close = () => {
    if (file) closeSync(file.fd)
    file = undefined
  }
  const append = (text: string) => {
    file ??= openForAppend(path)
    if (file.sizeBytes > 0 && file.sizeBytes + Buffer.byteLength(text) > maxBytes) {
      close()
      shift(path, files)
      file = openForAppend(path)
    }
    const bytes = Buffer.from(file.isCut ? `\n${text}` : text)
    const written = writeSync(file.fd, bytes)
    file.sizeBytes += written
    file.isCut = written > 0 ? bytes[written - 1] !== newline : file.isCut
    if (written < bytes.length) throw new Error(`${path} took ${written} of ${bytes.length} bytes`)
  }

  return {
    write(line) {
      if (resumeAt > now()) {
        lost++
        return
      }
      try {
        if (lost > 0) append(lostLine(lost, now()))
        lost = 0
        append(line)
      } catch {
        // Nobody is left to tell: this is where one would be told.
        lost++
        resumeAt = now() + retryMs
        close()
      }
    },
    close,
  }
}

const newline = 10

function openForAppend(path: string) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fd = openSync(path, 'a+', 0o600)
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1, newline)
  if (size > 0) readSync(fd, last, 0, 1, size - 1)
  // A disk that was full, or a machine without power, may have cut the last line: the next begins a line of its own.
  return { fd, sizeBytes: size, isCut: last[0] !== newline }
}

/**
 * `FILE` becomes `FILE.1`, that becomes `FILE.2` and so on; the oldest goes. From the oldest on, so that a process which is
 * killed in between leaves a gap in the numbers, and loses nothing.
 */
function shift(path: string, files: number): void {
  if (files === 1) return rmSync(path, { force: true })
  for (let number = files - 1; number > 0; number--) {
    try {
      renameSync(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

const lostLine = (lines: number, time: number) =>
  `${JSON.stringify({ time: new Date(time).toISOString(), level: 'warn', message: 'lines of the log were lost', lines })}\n`
