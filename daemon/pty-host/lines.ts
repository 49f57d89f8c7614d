/**
 * One line of a raw log. Lines are split at the byte 0x0A only: U+2028 and similar characters are content, and a
 * multi-byte character that a read has cut is whole in its line.
 */
export interface Line {
  /** Excludes the newline and the carriage returns before it. Valid until the next `push`. */
  bytes: Buffer
  /** Offset in the raw log of the byte after the newline. Reading can continue there. */
  endOffset: number
}

export interface LineSplitter {
  /** Returns the lines that `chunk` completes. Copies what it keeps, so the caller may reuse the chunk afterwards. */
  push(chunk: Buffer): Line[]
  /** Removes and returns the unterminated rest, empty if there is none. For use after the end of the stream. */
  rest(): Buffer
  /** The size of the line that has no newline yet. */
  readonly pendingBytes: number
}

/** Longer lines are returned in pieces of this size, so that the output of a process cannot fill the memory. */
export const maxLineBytes = 64 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d
const recordMark = 0x1e

/** `startOffset` is the raw log offset of the first byte that will be pushed. */
export function createLineSplitter(startOffset = 0, maxBytes = maxLineBytes): LineSplitter {
  // A partial line is a list of chunks that is not scanned again and is joined once, so that the cost of a long line
  // grows linearly with its length.
  let pending: Buffer[] = []
  let pendingBytes = 0
  let offset = startOffset

  function join(last: Buffer): Buffer {
    if (pending.length === 0) return last
    pending.push(last)
    const bytes = Buffer.concat(pending, pendingBytes + last.length)
    pending = []
    pendingBytes = 0
    return bytes
  }

  return {
    push(chunk) {
      const lines: Line[] = []
      let start = 0
      while (start < chunk.length) {
        const room = maxBytes - pendingBytes
        const end = chunk.indexOf(newline, start)
        const length = (end < 0 ? chunk.length : end) - start
        if (length > room) {
          offset += room
          lines.push({ bytes: join(chunk.subarray(start, start + room)), endOffset: offset })
          start += room
        } else if (end >= 0) {
          offset += length + 1
          lines.push({ bytes: withoutCarriageReturn(join(chunk.subarray(start, end))), endOffset: offset })
          start = end + 1
        } else {
          pending.push(Buffer.from(chunk.subarray(start)))
          pendingBytes += length
          offset += length
          start = chunk.length
        }
      }
      return lines
    },
    rest() {
      return withoutCarriageReturn(join(Buffer.alloc(0)))
    },
    get pendingBytes() {
      return pendingBytes
    },
  }
}

/** How the command ended, as the shim printed it. */
export interface ExitRecord {
  /** The output on the same line before the record, for example an unterminated line or escape sequences. */
  before: Buffer
  /** `$?` of the shell: the exit code, or 128 + n for signal n. */
  status: number
}

/**
 * Parses the exit record `0x1e nonce SP status` at the end of a line; returns null if the line has none. JSON escapes
 * control characters and the nonce is random, so content cannot be mistaken for a record. Bytes after the record in the
 * raw log are not part of the stream.
 */
export function parseExitRecord(line: Buffer, nonce: string): ExitRecord | null {
  const mark = line.lastIndexOf(recordMark)
  if (mark < 0) return null
  const [word, status, ...rest] = line.toString('latin1', mark + 1).split(' ')
  if (word !== nonce || status === undefined || rest.length > 0 || !/^\d{1,3}$/.test(status)) return null
  return { before: line.subarray(0, mark), status: Number(status) }
}

/** Whether untrusted bytes contain the start of an exit record. Only the shim knows the nonce. */
export function hasExitRecord(bytes: Buffer, nonce: string): boolean {
  return bytes.includes(`${String.fromCharCode(recordMark)}${nonce} `)
}

function withoutCarriageReturn(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === carriageReturn) end -= 1
  return end === bytes.length ? bytes : bytes.subarray(0, end)
}
