import { createLineSplitter, hasExitRecord, parseExitRecord } from './lines.ts'
import type { Damage, RawLog } from './raw-log.ts'

/** Reads the lines of one kind of program. Pure, and never throws. */
export interface LineParser<Content> {
  /** Returns the parts of a line in order: usually one, none for a blank line. */
  parse(line: Buffer): readonly Content[]
  /** Whether the bytes are exactly one whole line that the program printed. After damage they may be the end of one. */
  isFrame(line: Buffer): boolean
}

/** A part of a line: its content, the raw log offset behind the line, and when the last byte of the line arrived. */
export type Printed<Content> = (Content | { damaged: DamagedLines }) & { offset: number; time: number }

/** Lines in a damaged part of the raw log. */
export interface DamagedLines {
  bytes: number
  detail: string
}

export interface Output<Content> {
  lines: Printed<Content>[]
  /** The raw log offset up to which whole lines have been read. */
  offset: number
  /**
   * Set once the exit record is read. Nothing follows it. `status` is what the shell reported: the exit code, or 128 +
   * signal. It is null if the record lies in a damaged part.
   */
  exit?: { status: number | null }
}

/**
 * Reads the raw log of a process line by line, up to its current end. The same bytes always give the same lines.
 * Synchronous, because the bytes were written a moment ago and are in the page cache.
 */
export interface OutputReader<Content> {
  /** Returns the output since the last call, at most about `readBytes` of it; undefined if there is none. */
  read(): Output<Content> | undefined
  /** Returns incomplete lines and unreported damage. Call it when the process has ended without an exit record. */
  rest(): Printed<Content>[]
}

const readBytes = 256 * 1024

/** `from` must be the start of a line: 0, or the `offset` of an earlier output. */
export function createOutputReader<Content extends object>(
  rawLog: RawLog,
  nonce: string,
  parser: LineParser<Content>,
  from = 0,
): OutputReader<Content> {
  type Line = Printed<Content>
  let splitter = createLineSplitter(from)
  let readOffset = from
  let lineOffset = from
  // The start of damage that is not reported yet. It extends to the next whole line.
  let damagedFrom: number | undefined
  const end: Pick<Output<Content>, 'exit'> = {}

  const place = <Part extends object>(content: Part, offset: number) => ({
    ...content,
    offset,
    time: rawLog.timeAt(offset - 1),
  })
  const damagedUpTo = (offset: number): Line[] => {
    if (damagedFrom === undefined) return []
    const [start, bytes] = [damagedFrom, offset - damagedFrom]
    damagedFrom = undefined
    const detail = `${bytes} bytes of the process's output, from byte ${start} on, are not as they were written`
    return [place({ damaged: { bytes, detail } }, offset)]
  }
  const parse = (bytes: Buffer, start: number, offset: number): Line[] => {
    // After damage, the bytes may be only the end of a line.
    if (damagedFrom !== undefined && !parser.isFrame(bytes)) return damagedUpTo(offset)
    return [...damagedUpTo(start), ...parser.parse(bytes).map(content => place(content, offset))]
  }

  const readLines = (chunk: Buffer): Line[] => {
    const lines: Line[] = []
    readOffset += chunk.length
    for (const line of splitter.push(chunk)) {
      const record = parseExitRecord(line.bytes, nonce)
      // Ends before the exit record, so that a reader that continues here after a crash finds the record again.
      const endOffset = record ? lineOffset + record.before.length : line.endOffset
      lines.push(...parse(record ? record.before : line.bytes, lineOffset, endOffset))
      lineOffset = endOffset
      if (record) {
        end.exit = { status: record.status }
        break
      }
    }
    return lines
  }
  /** A line that began before the damage belongs to the damage, because its end is unknown. */
  const passDamage = ({ bytes, tail }: Damage): Line[] => {
    damagedFrom ??= lineOffset
    readOffset += bytes
    lineOffset = readOffset
    splitter = createLineSplitter(readOffset)
    if (!hasExitRecord(tail, nonce)) return []
    end.exit = { status: null }
    return damagedUpTo(readOffset)
  }
  const read = (): Output<Content> | undefined => {
    if (end.exit) return undefined
    const chunk = rawLog.read(readOffset, readBytes)
    const damage = chunk.length === 0 ? rawLog.damageAt(readOffset) : undefined
    if (chunk.length === 0 && !damage) return undefined
    const lines = damage ? passDamage(damage) : readLines(chunk)
    return { lines, offset: damagedFrom ?? lineOffset, ...end }
  }

  return {
    read,
    rest() {
      const lines: Line[] = []
      rawLog.finish()
      // Lines are pushed one by one, because many arguments of one call would not fit on the stack.
      for (let output = read(); output; output = read()) for (const line of output.lines) lines.push(line)
      return end.exit
        ? lines
        : [...lines, ...parse(splitter.rest(), lineOffset, readOffset), ...damagedUpTo(readOffset)]
    },
  }
}
