import type { FileHandle } from 'node:fs/promises'

const chunkBytes = 256 * 1024

/** Yields the lines of a file without newlines, from the last to the first, and reads at most `maxBytes` bytes. */
export async function* linesFromEnd(file: FileHandle, maxBytes: number): AsyncGenerator<Buffer> {
  let { size: position } = await file.stat()
  const stopAt = Math.max(0, position - maxBytes)
  // The parts, last one first, of the line that begins before the bytes read so far.
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
