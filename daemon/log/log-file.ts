import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** A rotated log: `FILE` has the newest lines, `FILE.1` the lines before, and so on. */
export interface LogFile {
  /** Appends a line, which must end in a newline. Never throws: a line that cannot be written is lost and counted. */
  write(line: string): void
  close(): void
}

/** The pause after a failed write. Lines are lost meanwhile. */
const retryMs = 1_000

/**
 * Creates a log of at most `files` files (including the current one) of about `maxBytes` each, mode 0600. Writes are
 * synchronous: a line is in the page cache when `write` returns, so the last lines of a killed process are readable.
 * The first line opens the file, so a process that logs nothing leaves no file.
 */
export function createLogFile(options: {
  path: string
  maxBytes: number
  /** At least 1. */
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
        // The log itself is broken, so the failure can only be counted.
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
  // A full disk or a power failure may have cut the last line. Then the next one starts with a newline.
  return { fd, sizeBytes: size, isCut: last[0] !== newline }
}

/**
 * Renames `FILE` to `FILE.1`, `FILE.1` to `FILE.2` and so on; the oldest file is overwritten. Starts with the oldest,
 * so that a process that is killed in between leaves a gap in the numbers and loses nothing.
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
