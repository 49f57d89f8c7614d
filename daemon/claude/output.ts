import type { RawLog } from '../holder/raw-log.ts'
import { type Decoded, decodeLine } from './frame.ts'
import { createLineSplitter, parseExitRecord } from './lines.ts'

/** One line of Claude Code's output: what it says, the raw log offset behind it, and when its last byte arrived. */
export type OutputLine = Decoded & { offset: number; time: number }

export interface Output {
  lines: OutputLine[]
  /** Raw log offset up to which whole lines have been read. */
  offset: number
  /** The exit record was read: nothing follows. `status` is the shell's: the exit code, or 128 + signal. */
  exit?: { status: number }
}

/**
 * Reads a process's raw log line by line, as far as it goes: the same bytes always give the same lines. Synchronous,
 * for what is read was written a moment ago.
 */
export interface OutputReader {
  /** What has come since the last call, at most about `readBytes` of it; undefined when there is nothing new. */
  read(): Output | undefined
  /** The line that was begun and never ended, once the process is gone without an exit record. */
  rest(): OutputLine[]
}

const readBytes = 256 * 1024

/** `from` is where a line begins: 0, or an `offset` of what was read before. */
export function createOutputReader(rawLog: RawLog, nonce: string, from = 0): OutputReader {
  const splitter = createLineSplitter(from)
  let readOffset = from
  let lineOffset = from
  let exit: Output['exit']

  const decode = (bytes: Buffer, offset: number): OutputLine[] =>
    decodeLine(bytes).map(decoded => ({ ...decoded, offset, time: rawLog.timeAt(offset - 1) }))

  return {
    read() {
      if (exit) return undefined
      const chunk = rawLog.read(readOffset, readBytes)
      if (chunk.length === 0) return undefined
      readOffset += chunk.length
      const lines: OutputLine[] = []
      for (const line of splitter.push(chunk)) {
        const record = parseExitRecord(line.bytes, nonce)
        lines.push(...decode(record ? record.before : line.bytes, line.endOffset))
        lineOffset = line.endOffset
        if (record) {
          exit = { status: record.status }
          break
        }
      }
      return { lines, offset: lineOffset, ...(exit && { exit }) }
    },
    rest: () => (exit ? [] : decode(splitter.rest(), readOffset)),
  }
}
