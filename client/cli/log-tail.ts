import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** One log, read on through its files: `FILE` and, from the latest to the oldest, `FILE.1` and upwards. */
export interface LogTail {
  /** The last lines up to now that are wanted, at most `limit`; to be called once, before `next`. */
  last(limit: number, isWanted: (line: string) => boolean): string[]
  /** The lines since. */
  next(): string[]
  close(): void
}

/** Undefined where there is no such log (yet). */
export function openTail(path: string): LogTail | undefined {
  let fd = openOrNothing(path)
  if (fd === undefined) return undefined
  let offset = 0
  /** Of a line whose end is not written yet. */
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

  /** The file that came after ours, once ours has been shifted; undefined while ours is the present one. */
  const openNewer = (): number | undefined => {
    for (;;) {
      const number = numberOf(path, fd!)
      if (number === 0) return undefined
      const newer = openOrNothing(name(path, number === undefined ? (numbers(path).at(-1) ?? 0) : number - 1))
      // Shifted again meanwhile, what we opened may have one between it and ours.
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
        // What was written to ours before it was shifted.
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

/** Of the files that there are, 0 being the present one: from the latest to the oldest. */
function numbers(path: string): number[] {
  const prefix = `${basename(path)}.`
  return readdirSync(dirname(path))
    .flatMap(entry =>
      join(dirname(path), entry) === path ? [0] : entry.startsWith(prefix) ? [Number(entry.slice(prefix.length))] : [],
    )
    .filter(number => Number.isInteger(number))
    .toSorted((one, other) => one - other)
}

/** Which of them is open as `fd`; undefined when it is gone. */
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
