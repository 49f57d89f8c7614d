import { appendFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chunkEntry } from '../../daemon/pty-host/raw-chunks.ts'

/** Returns the paths of the raw logs in a home, without file extensions. */
export function rawLogsOf(home: string): string[] {
  const directory = join(home, 'processes')
  return readdirSync(directory)
    .filter(name => name.endsWith('.raw'))
    .map(name => join(directory, name.slice(0, -'.raw'.length)))
}

/** Appends to a raw log as a pty-host does while no daemon reads it. */
export function appendToRawLog(path: string, content: string | Buffer): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  appendFileSync(`${path}.times`, chunkEntry(statSync(`${path}.raw`).size, Date.now(), bytes))
  appendFileSync(`${path}.raw`, bytes)
}
