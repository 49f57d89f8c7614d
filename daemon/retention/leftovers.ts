import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../store/store.ts'

/** Nothing that was touched since is taken for a leftover. */
const untouchedMs = 60 * 60_000

/**
 * Removes what daemons that were killed could not: files of processes that nobody knows, and what an ended process
 * needed only while it ran. Answers the names. Of a process that has not ended nothing is touched.
 */
export async function removeLeftovers(
  { store, processesDir }: { store: Store; processesDir: string },
  now: number,
): Promise<string[]> {
  const removed: string[] = []
  // Listed before it is asked for: a process is stored before it has any file.
  for (const name of await readdir(processesDir)) {
    const [, id, kind] = /^(p_[^.]+)\.(raw|times|err|pack|pack\.draft|in|pid|tmp)$/.exec(name) ?? []
    if (id === undefined || kind === undefined) continue
    const process = store.processes.get(id)
    const isKept = ['raw', 'times', 'err', 'pack'].includes(kind)
    if (process && (process.endedAt === null || isKept)) continue
    const path = join(processesDir, name)
    const facts = await stat(path).catch(() => undefined)
    if (!facts || now - facts.mtimeMs < untouchedMs) continue
    await rm(path, { recursive: true, force: true })
    removed.push(name)
  }
  return removed
}
