import { nanoid } from 'nanoid'
import type { Sqlite } from './sqlite/sqlite.ts'

/** Why published events may be gone: the machine went down, the disk refused a sync, or the newest are damaged. */
export type Loss = 'power' | 'sync' | 'damage'

/**
 * The epoch of a database that has just been opened. Events are published before they are on the disk, so a machine that
 * goes down may take some back, and their `seq` would be given to others. A new epoch tells whoever holds the old ones.
 * A daemon that is killed takes nothing back: what it committed is in the page cache. `boot` names the time between two
 * starts of the machine; undefined where it cannot be told: then each end that was not in order counts as its.
 */
export function enterEpoch(
  db: Sqlite,
  boot: string | undefined,
  known: Loss | undefined,
  lostHeads: ReadonlyMap<number, number>,
): { epoch: string; loss: Loss | undefined } {
  const value = db.value<[string], string>('SELECT value FROM meta WHERE name = ?')
  const set = db.prepare<[string, string]>(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  )
  return db.transaction(() => {
    // Absent in a new database, and in one of a muxd that did not write it down.
    const before = value.get(bootOfOpen)
    const wasCut = before !== undefined && before !== closedInOrder && (before !== boot || boot === undefined)
    // The same ones are found again at each opening.
    const lost = JSON.stringify([...lostHeads])
    const isNew = lostHeads.size > 0 && value.get(lostKey) !== lost
    if (isNew) set.run(lostKey, lost)
    const loss = known ?? (isNew ? 'damage' : wasCut ? 'power' : undefined)
    if (loss !== undefined || value.get('epoch') === undefined) set.run('epoch', nanoid())
    set.run(bootOfOpen, boot ?? 'unknown')
    return { epoch: value.get('epoch')!, loss }
  })
}

/** Everything before is on the disk, or this is not either: the write-ahead log is read up to its first gap. */
export function markClosedInOrder(db: Sqlite): void {
  db.prepare<[string, string]>('UPDATE meta SET value = ? WHERE name = ?').run(closedInOrder, bootOfOpen)
}

/** In the table `meta`: during which boot the database was opened and not closed in order since. */
const bootOfOpen = 'boot'
const closedInOrder = 'closed'
/** The sessions whose newest events were lost, as they were when a new epoch began for it. */
const lostKey = 'lost'
