import { placeOf, seqOf } from './place.ts'
import { isDamage } from './sqlite/errors.ts'
import type { Sqlite } from './sqlite/sqlite.ts'

/** Up to which `seq` a session had come for certain, by what is stored elsewhere in the transactions of its events. */
const floorSql = `max(
  coalesce(json_extract(record, '$.head'), 0),
  coalesce((SELECT max(head) FROM processes WHERE processes.session = sessions.number), 0))`

/** The sessions whose newest events are gone or cannot be read, by number, and how far each must have come. */
export function findLostHeads(db: Sqlite): Map<number, number> {
  const last = lastPlace(db)
  const lost = new Map<number, number>()
  const sessions = db.prepare<[], { number: number; floor: number }>(
    `SELECT number, ${floorSql} AS floor FROM sessions`,
  )
  for (const { number, floor } of sessions.all()) if (!(readHead(last, number) >= floor)) lost.set(number, floor)
  return lost
}

/** NaN where it cannot be read. */
function readHead(last: ReturnType<typeof lastPlace>, number: number): number {
  try {
    return seqOf(last.get(placeOf(number, 0), placeOf(number + 1, 0)) ?? 0)
  } catch (error) {
    if (isDamage(error)) return Number.NaN
    throw error
  }
}

const lastPlace = (db: Sqlite) =>
  db.value<[number, number], number | null>('SELECT max(place) FROM events WHERE place > ? AND place < ?')

/** The `seq` of a session's newest event. What was lost of it counts as well: its numbers are not given again. */
export function createHeads(db: Sqlite, lost: ReadonlyMap<number, number>): (session: number) => number {
  const last = lastPlace(db)
  const floor = db.value<[number], number>(`SELECT ${floorSql} FROM sessions WHERE number = ?`)
  return number => {
    const head = readHead(last, number)
    return Number.isNaN(head) ? (floor.get(number) ?? 0) : Math.max(head, lost.get(number) ?? 0)
  }
}
