import { isDamage } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { eventKey, seqOf } from './event-key.ts'

/**
 * SQL for the `seq` that a session has certainly reached, from the records stored in the transactions of its events.
 */
const floorSql = `max(
  coalesce(json_extract(record, '$.head'), 0),
  coalesce((SELECT max(head) FROM processes WHERE processes.session = sessions.number), 0))`

/**
 * Finds the sessions whose newest events are gone or cannot be read: their numbers, and the `seq` that each must have
 * reached.
 */
export function findLostHeads(db: Sqlite): Map<number, number> {
  const last = lastKey(db)
  const lost = new Map<number, number>()
  const sessions = db.prepare<[], { number: number; floor: number }>(
    `SELECT number, ${floorSql} AS floor FROM sessions`,
  )
  for (const { number, floor } of sessions.all()) if (!(readHead(last, number) >= floor)) lost.set(number, floor)
  return lost
}

/** Returns NaN if the head cannot be read. */
function readHead(last: ReturnType<typeof lastKey>, number: number): number {
  try {
    return seqOf(last.get(eventKey(number, 0), eventKey(number + 1, 0)) ?? 0)
  } catch (error) {
    if (isDamage(error)) return Number.NaN
    throw error
  }
}

const lastKey = (db: Sqlite) =>
  db.value<[number, number], number | null>('SELECT max(place) FROM events WHERE place > ? AND place < ?')

/**
 * Returns a function from the number of a session to the `seq` of its newest event. Lost events count as well, so that
 * their numbers are not given again.
 */
export function createHeads(db: Sqlite, lost: ReadonlyMap<number, number>): (session: number) => number {
  const last = lastKey(db)
  const floor = db.value<[number], number>(`SELECT ${floorSql} FROM sessions WHERE number = ?`)
  return number => {
    const head = readHead(last, number)
    return Number.isNaN(head) ? (floor.get(number) ?? 0) : Math.max(head, lost.get(number) ?? 0)
  }
}
