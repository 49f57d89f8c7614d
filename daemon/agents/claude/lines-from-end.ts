import type { FileHandle } from 'node:fs/promises'

const chunkBytes = 256 * 1024

/** The lines of a file from the last to the first, at most about `maxBytes` of them; without their newlines. */
export async function* linesFromEnd(file: FileHandle, maxBytes: number): AsyncGenerator<Buffer> {
  let { size: position } = await file.stat()
  const stopAt = Math.max(0, position - maxBytes)
  // Of the line that goes on to the left of what has been read: its parts, the last one first.
  let parts: Buffer[] = []
  while (position > stopAt) {
    const length = Math.min(chunkBytes, position - stopAt)
    position -= length
    const chunk = Buffer.allocUnsafe(length)
    await file.read(chunk, 0, length, position)
    let end = length
    for (let newline = chunk.lastIndexOf(10, end - 1); newline >= 0; newline = chunk.lastIndexOf(10, newline - 1)) {
      const line = [chunk.subarray(newline + 1, end), ...parts.toReversed()]
      parts = []
      yield line.length === 1 ? line[0]! : Buffer.concat(line)
      end = newline
      // A negative offset would count from the end.
      if (newline === 0) break
    }
    parts.push(chunk.subarray(0, end))
  }
  if (position === 0) yield Buffer.concat(parts.toReversed())
}
