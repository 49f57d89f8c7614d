/**
 * The raw log of a process as lines. Split on the byte 0x0A alone: U+2028 and the like are content, and a multi-byte
 * character cut by a read is whole again in its line.
 */
export interface Line {
  /** Without the newline and the carriage returns before it. Valid until the next `push`. */
  bytes: Buffer
  /** Offset in the raw log right behind the line's newline: where reading can go on after this line. */
  endOffset: number
}

export interface LineSplitter {
  /** The lines that `chunk` completes. The chunk may be reused afterwards: what is kept of it is copied. */
  push(chunk: Buffer): Line[]
  /** Takes the unterminated rest, empty when there is none. Called when the stream is known to be over. */
  rest(): Buffer
  /** Bytes that wait for their newline. */
  readonly pendingBytes: number
}

/** A longer line is handed out in pieces of this size: nothing a process prints may fill the memory. */
export const maxLineBytes = 64 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d
const recordMark = 0x1e

/** `startOffset` is the place in the raw log of the first byte that will be pushed. */
export function createLineSplitter(startOffset = 0, maxBytes = maxLineBytes): LineSplitter {
  // A partial line is a list of chunks, never scanned again and joined once, so that a line of many MB costs its
  // length and not its square.
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

/** How the command ended, as the shim wrote it into the stream: `$?` of the shell, 128 + n for a signal. */
export interface ExitRecord {
  /** What the process printed on that line before it ended: an unterminated line, escape sequences. */
  before: Buffer
  status: number
}

/**
 * The exit record `0x1e nonce SP status` at the end of a line, null when the line has none. JSON escapes control
 * characters and the nonce is random, so content cannot be taken for it. What follows the record in the raw log is not
 * part of the stream.
 */
export function parseExitRecord(line: Buffer, nonce: string): ExitRecord | null {
  const mark = line.lastIndexOf(recordMark)
  if (mark < 0) return null
  const [word, status, ...rest] = line.toString('latin1', mark + 1).split(' ')
  if (word !== nonce || status === undefined || rest.length > 0 || !/^\d{1,3}$/.test(status)) return null
  return { before: line.subarray(0, mark), status: Number(status) }
}

/** Whether bytes that are not to be trusted hold an exit record: of this nonce nobody else can know. */
export function hasExitRecord(bytes: Buffer, nonce: string): boolean {
  return bytes.includes(`${String.fromCharCode(recordMark)}${nonce} `)
}

function withoutCarriageReturn(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === carriageReturn) end -= 1
  return end === bytes.length ? bytes : bytes.subarray(0, end)
}
