import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { endAllOf, type TestDaemon } from '../daemon.ts'
import type { Faults } from './faults.ts'

/**
 * Kills every process of a home at once, and leaves each file as its last sync wrote it. Removes files that were never
 * synced, except `config.json`, which belongs to the test. A real disk may keep more than that, never less.
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
