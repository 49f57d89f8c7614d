import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { endAllOf, type TestDaemon } from '../daemon.ts'
import type { Faults } from './faults.ts'

/**
 * Ends everything of a home at once, and leaves of each file what its last sync has put on the disk: nothing of those
 * that were never synced. `config.json` is the test's and stays. A disk may have kept more than that, never less.
 */
export async function cutPower(daemon: TestDaemon, faults: Faults): Promise<void> {
  await endAllOf(daemon)
  const synced = faults.synced()
  for (const entry of readdirSync(daemon.home, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || entry.name === 'config.json') continue
    const kept = synced.get(path)
    if (kept === undefined) rmSync(path)
    else copyFileSync(kept, path)
  }
}
