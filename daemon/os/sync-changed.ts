import { closeSync, fdatasyncSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Brings to the disk what was written to the files of a directory since `since`. False when that failed. */
export function syncChanged(directory: string, since: number): boolean {
  try {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name)
      const entry = statSync(path)
      if (entry.isFile() && entry.mtimeMs >= since) sync(path)
    }
    return true
  } catch {
    return false
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fdatasyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
