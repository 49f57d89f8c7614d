import type { OutputLine } from '../agent.ts'
import type { Damage, RawLog } from '../../pty-host/raw-log.ts'
import { type Decoded, decodeLine, isFrame, notDecodable } from './frame.ts'
import { createLineSplitter, hasExitRecord, parseExitRecord } from '../../pty-host/lines.ts'

export interface Output {
  lines: OutputLine[]
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
export interface OutputReader {
  /** Returns the output since the last call, at most about `readBytes` of it; undefined if there is none. */
  read(): Output | undefined
  /** Returns incomplete lines and unreported damage. Call it when the process has ended without an exit record. */
  rest(): OutputLine[]
}

const readBytes = 256 * 1024

/** `from` must be the start of a line: 0, or the `offset` of an earlier output. */
export function createOutputReader(rawLog: RawLog, nonce: string, from = 0): OutputReader {
  let splitter = createLineSplitter(from)
  let readOffset = from
  let lineOffset = from
  // The start of damage that is not reported yet. It extends to the next whole line.
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
    // After damage, the bytes may be only the end of a line.
    if (damagedFrom !== undefined && !isFrame(bytes)) return damagedUpTo(offset)
    return [...damagedUpTo(start), ...decodeSafely(bytes).map(decoded => place(decoded, offset))]
  }

  const readLines = (chunk: Buffer): OutputLine[] => {
    const lines: OutputLine[] = []
    readOffset += chunk.length
    for (const line of splitter.push(chunk)) {
      const record = parseExitRecord(line.bytes, nonce)
      // Ends before the exit record, so that a reader that continues here after a crash finds the record again.
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
  /** A line that began before the damage belongs to the damage, because its end is unknown. */
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
      // Lines are pushed one by one, because many arguments of one call would not fit on the stack.
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
