import { appendFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chunkEntry } from '../../daemon/pty-host/raw-chunks.ts'

/** Paths, without their endings, of the raw logs that a home holds. */
export function rawLogsOf(home: string): string[] {
  const directory = join(home, 'processes')
  return readdirSync(directory)
    .filter(name => name.endsWith('.raw'))
    .map(name => join(directory, name.slice(0, -'.raw'.length)))
}

/** Appends to a raw log as a pty-host does, whose daemon does not look. */
export function appendToRawLog(path: string, content: string | Buffer): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  appendFileSync(`${path}.times`, chunkEntry(statSync(`${path}.raw`).size, Date.now(), bytes))
  appendFileSync(`${path}.raw`, bytes)
}
