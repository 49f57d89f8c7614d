import type { OutputLine } from '../agent.ts'
import type { Damage, RawLog } from '../../pty-host/raw-log.ts'
import { type Decoded, decodeLine, isFrame, notDecodable } from './frame.ts'
import { createLineSplitter, hasExitRecord, parseExitRecord } from '../../pty-host/lines.ts'

export interface Output {
  lines: OutputLine[]
  /** Raw log offset up to which whole lines have been read. */
  offset: number
  /**
   * The exit record was read: nothing follows. `status` is the shell's: the exit code, or 128 + signal; null where the
   * record stands in a damaged place.
   */
  exit?: { status: number | null }
}

/**
 * Reads a process's raw log line by line, as far as it goes: the same bytes always give the same lines. Synchronous,
 * for what is read was written a moment ago.
 */
export interface OutputReader {
  /** What has come since the last call, at most about `readBytes` of it; undefined when there is nothing new. */
  read(): Output | undefined
  /** What has never been completed, lines and damage, once the process is gone without an exit record. */
  rest(): OutputLine[]
}

const readBytes = 256 * 1024

/** `from` is where a line begins: 0, or an `offset` of what was read before. */
export function createOutputReader(rawLog: RawLog, nonce: string, from = 0): OutputReader {
  let splitter = createLineSplitter(from)
  let readOffset = from
  let lineOffset = from
  // Where the damage begins that has not been told yet: it goes on up to a line that is whole.
  let damagedFrom: number | undefined
  const end: Pick<Output, 'exit'> = {}

  const place = <Content extends object>(content: Content, offset: number) => ({
    ...content,
    offset,
    time: rawLog.timeAt(offset - 1),
  })
  const damagedUpTo = (offset: number): OutputLine[] => {
    if (damagedFrom === undefined) return []
    const [start, bytes] = [damagedFrom, offset - damagedFrom]
    damagedFrom = undefined
    const detail = `${bytes} bytes of the process's output, from byte ${start} on, are not as they were written`
    return [place({ damaged: { bytes, detail } }, offset)]
  }
  const decode = (bytes: Buffer, start: number, offset: number): OutputLine[] => {
    // Behind damage it may be the end of a line only.
    if (damagedFrom !== undefined && !isFrame(bytes)) return damagedUpTo(offset)
    return [...damagedUpTo(start), ...decodeSafely(bytes).map(decoded => place(decoded, offset))]
  }

  const readLines = (chunk: Buffer): OutputLine[] => {
    const lines: OutputLine[] = []
    readOffset += chunk.length
    for (const line of splitter.push(chunk)) {
      const record = parseExitRecord(line.bytes, nonce)
      // Up to the record, never behind it: who goes on from here after a crash has to find it again.
      const endOffset = record ? lineOffset + record.before.length : line.endOffset
      lines.push(...decode(record ? record.before : line.bytes, lineOffset, endOffset))
      lineOffset = endOffset
      if (record) {
        end.exit = { status: record.status }
        break
      }
    }
    return lines
  }
  /** What was begun before the damage is part of it: its end is not to be known. */
  const passDamage = ({ bytes, tail }: Damage): OutputLine[] => {
    damagedFrom ??= lineOffset
    readOffset += bytes
    lineOffset = readOffset
    splitter = createLineSplitter(readOffset)
    if (!hasExitRecord(tail, nonce)) return []
    end.exit = { status: null }
    return damagedUpTo(readOffset)
  }
  const read = (): Output | undefined => {
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
      const lines: OutputLine[] = []
      rawLog.finish()
      // One by one: as arguments of one call, many lines would not fit on the stack.
      for (let output = read(); output; output = read()) for (const line of output.lines) lines.push(line)
      return end.exit
        ? lines
        : [...lines, ...decode(splitter.rest(), lineOffset, readOffset), ...damagedUpTo(readOffset)]
    },
  }
}

function decodeSafely(bytes: Buffer): Decoded[] {
  try {
    return decodeLine(bytes)
  } catch {
    return [notDecodable(bytes.length)]
  }
}
