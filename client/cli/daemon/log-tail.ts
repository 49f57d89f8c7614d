import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Reads one rotated log: `FILE`, and from the newest to the oldest `FILE.1`, `FILE.2` and so on. */
export interface LogTail {
  /** Returns the last wanted lines up to now, at most `limit`. Call it once, before `next`. */
  last(limit: number, isWanted: (line: string) => boolean): string[]
  /** Returns the lines since the previous call. */
  next(): string[]
  close(): void
}

/** Opens a log. Returns undefined if it does not exist (yet). */
export function openTail(path: string): LogTail | undefined {
  let fd = openOrNothing(path)
  if (fd === undefined) return undefined
  let offset = 0
  /** The beginning of a line that is not complete yet. */
  let begun: Buffer = Buffer.alloc(0)

  const drain = (): string[] => {
    const { size } = fstatSync(fd!)
    const grown = Buffer.alloc(Math.max(0, size - offset))
    offset += readSync(fd!, grown, 0, grown.length, offset)
    const all = Buffer.concat([begun, grown])
    const end = all.lastIndexOf('\n') + 1
    begun = all.subarray(end)
    return all.subarray(0, end).toString().split('\n').filter(Boolean)
  }

  /** Opens the file after ours if ours was rotated; returns undefined while ours is the current one. */
  const openNewer = (): number | undefined => {
    for (;;) {
      const number = numberOf(path, fd!)
      if (number === 0) return undefined
      const newer = openOrNothing(name(path, number === undefined ? (numbers(path).at(-1) ?? 0) : number - 1))
      // If another rotation happened meanwhile, a file may lie between ours and the opened one.
      if (newer === undefined || numberOf(path, fd!) === number) return newer
      closeSync(newer)
    }
  }

  return {
    last(limit, isWanted) {
      let lines = drain().filter(isWanted)
      for (const number of numbers(path).filter(each => each > (numberOf(path, fd!) ?? 0))) {
        if (lines.length >= limit) break
        lines = linesOf(name(path, number)).filter(isWanted).concat(lines)
      }
      return limit === 0 ? [] : lines.slice(-limit)
    },
    next() {
      const lines = drain()
      for (let newer = openNewer(); newer !== undefined; newer = openNewer()) {
        // Lines that were written to ours before its rotation.
        lines.push(...drain())
        closeSync(fd!)
        fd = newer
        offset = 0
        begun = Buffer.alloc(0)
        lines.push(...drain())
      }
      return lines
    },
    close: () => closeSync(fd!),
  }
}

const name = (path: string, number: number) => (number === 0 ? path : `${path}.${number}`)

/** Returns the numbers of the existing files, from the newest to the oldest; 0 is the current one. */
function numbers(path: string): number[] {
  const prefix = `${basename(path)}.`
  return readdirSync(dirname(path))
    .flatMap(entry =>
      join(dirname(path), entry) === path ? [0] : entry.startsWith(prefix) ? [Number(entry.slice(prefix.length))] : [],
    )
    .filter(number => Number.isInteger(number))
    .toSorted((one, other) => one - other)
}

/** Returns the number of the file that is open as `fd`, or undefined if the file no longer exists. */
function numberOf(path: string, fd: number): number | undefined {
  const { ino } = fstatSync(fd)
  return numbers(path).find(number => statSync(name(path, number), { throwIfNoEntry: false })?.ino === ino)
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function openOrNothing(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'
