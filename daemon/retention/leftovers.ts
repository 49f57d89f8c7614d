import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../store/store.ts'

/** A file modified within this time is no leftover, unless it is a pack, which no version writes any more. */
const untouchedMs = 60 * 60_000

/**
 * Removes what killed daemons could not: files of unknown processes, files that an ended process needed only while it
 * ran, and the compressed raw logs of earlier versions. Returns the names. Of a process that has not ended, only
 * compressed raw logs are removed.
 */
export async function removeLeftovers(
  { store, processesDir }: { store: Store; processesDir: string },
  now: number,
): Promise<string[]> {
  const removed: string[] = []
  // The files are listed before the store is asked: a process is stored before it has any file.
  for (const name of await readdir(processesDir)) {
    const [, id, kind] =
      /^(p_[^.]+)\.(raw|times|err|pack|pack\.draft|in|stderr|pid|started|options|tmp)$/.exec(name) ?? []
    if (id === undefined || kind === undefined) continue
    const process = store.processes.get(id)
    const isPack = kind.startsWith('pack')
    const isKept = ['raw', 'times', 'err'].includes(kind)
    if (process && (process.endedAt === null || isKept) && !isPack) continue
    const path = join(processesDir, name)
    const facts = await stat(path).catch(() => undefined)
    if (!facts || (now - facts.mtimeMs < untouchedMs && !isPack)) continue
    await rm(path, { recursive: true, force: true })
    removed.push(name)
  }
  return removed
}
