import { placeOf } from './place.ts'
import { isDamage } from './sqlite/errors.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import type { DeletionTable } from './store.ts'

/** Of one step: rows, and bytes of their texts (a large one lies on many pages, each of which has to be read). */
const stepRows = 250
const stepBytes = 1024 * 1024

export function createDeletionTable(db: Sqlite): DeletionTable {
  const sessions = db.value<[], number>('SELECT session FROM deletions')
  const processes = db.value<[], string>('SELECT id FROM processes WHERE session IN (SELECT session FROM deletions)')
  const forgetProcess = db.prepare<[string]>(
    'DELETE FROM processes WHERE id = ? AND session IN (SELECT session FROM deletions)',
  )
  const first = db.prepare<[number, number, number], { place: number; bytes: number }>(
    'SELECT place, octet_length(text) AS bytes FROM events WHERE place >= ? AND place < ? ORDER BY place LIMIT ?',
  )
  const remove = db.prepare<[number, number]>('DELETE FROM events WHERE place >= ? AND place <= ?')
  // With processes left it stays, for their files are still to be removed; and as the highest number of all, so that
  // this is not given again: what is remembered of a session by its number must not be taken for another's.
  const finish = db.prepare<[number, number, number]>(
    `DELETE FROM deletions WHERE session = ? AND NOT EXISTS (SELECT 1 FROM processes WHERE session = ?)
       AND ? < (SELECT max(number) FROM sessions)`,
  )

  /** Up to where one step goes; undefined when the session has no events left. */
  function stepOf(session: number): number | undefined {
    let bytes = 0
    let last: number | undefined
    const take = (row: { place: number; bytes: number }) => {
      last = row.place
      bytes += row.bytes
      return bytes < stepBytes
    }
    first.scan(take, placeOf(session, 0), placeOf(session + 1, 0), stepRows)
    return last
  }

  function removeSome(session: number): boolean {
    try {
      const last = stepOf(session)
      if (last !== undefined) return remove.run(placeOf(session, 0), last) > 0
      finish.run(session, session, session)
    } catch (error) {
      // What lies on damaged pages stays; that of other sessions goes all the same.
      if (!isDamage(error)) throw error
    }
    return false
  }

  return {
    processes: () => processes.all(),
    forgetProcess: id => void forgetProcess.run(id),
    removeEvents() {
      return sessions.all().some(removeSome)
    },
  }
}
