import { closeSync, fdatasyncSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Syncs the files of a directory that were modified since `since` (ms since epoch). Returns false if that fails. */
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
