import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Fills the disk of a directory until no further byte fits. Returns the path of the file, which grows with each call. */
export function fillDisk(directory: string): string {
  const path = join(directory, 'filler')
  const fd = openSync(path, 'a')
  for (let chunk = Buffer.alloc(1024 * 1024); chunk.length > 0; ) {
    try {
      const written = writeSync(fd, chunk)
      if (written < chunk.length) chunk = chunk.subarray(0, Math.floor(chunk.length / 2))
    } catch {
      chunk = chunk.subarray(0, Math.floor(chunk.length / 2))
    }
  }
  closeSync(fd)
  return path
}
