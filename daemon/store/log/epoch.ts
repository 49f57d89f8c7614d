import { nanoid } from 'nanoid'
import type { Sqlite } from '../sqlite/sqlite.ts'

/**
 * Why published events may be gone: the machine went down, the disk refused a sync, or the newest events are damaged.
 */
export type Loss = 'power' | 'sync' | 'damage'

/**
 * Returns the epoch of a database that has just been opened, and why it is new. Events are published before they are on
 * the disk, so a machine that goes down may lose some, and their `seq` would be given to other events. A new epoch
 * tells clients that the events they hold may be gone. A killed daemon loses nothing: what it committed is in the page
 * cache.
 *
 * `boot` identifies the current start of the machine. If it is undefined, the machine counts as restarted after every
 * close that was not in order.
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
    // Absent in a new database, and in one of a muxd that did not store it.
    const before = value.get(bootOfOpen)
    const wasCut = before !== undefined && before !== closedInOrder && (before !== boot || boot === undefined)
    // Every later opening finds the same sessions again.
    const lost = JSON.stringify([...lostHeads])
    const isNew = lostHeads.size > 0 && value.get(lostKey) !== lost
    if (isNew) set.run(lostKey, lost)
    const loss = known ?? (isNew ? 'damage' : wasCut ? 'power' : undefined)
    if (loss !== undefined || value.get('epoch') === undefined) set.run('epoch', nanoid())
    set.run(bootOfOpen, boot ?? 'unknown')
    return { epoch: value.get('epoch')!, loss }
  })
}

/**
 * Stores that the database was closed in order. If this is on the disk, so is everything before it, because the
 * write-ahead log is read up to its first gap.
 */
export function markClosedInOrder(db: Sqlite): void {
  db.prepare<[string, string]>('UPDATE meta SET value = ? WHERE name = ?').run(closedInOrder, bootOfOpen)
}

/** Key in the table `meta`: the boot during which the database was opened and not closed in order since. */
const bootOfOpen = 'boot'
const closedInOrder = 'closed'
/** Key in the table `meta`: the lost heads (see `lost-heads.ts`) that have already caused a new epoch. */
const lostKey = 'lost'
