import { eventKey } from '../log/event-key.ts'
import { isDamage } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'

/**
 * The rows that deleted sessions leave behind. They are removed in small steps: removing a million events takes a
 * second.
 */
export interface DeletionTable {
  /** Ids of the processes of deleted sessions whose files still have to be removed. */
  processes(): string[]
  /** Forgets a process whose files are gone. */
  forgetProcess(id: string): void
  /** Removes some events, in a millisecond or so, and at last the acts. Returns false when nothing is left. */
  removeEvents(): boolean
}

/**
 * Bounds of one step: rows, and bytes of their texts. (A large text lies on many pages, each of which has to be read.)
 */
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
  const removeActs = db.prepare<[number, number]>('DELETE FROM acts WHERE key >= ? AND key < ?')
  // The row stays while processes are left, because their files still have to be removed. It also stays while its
  // number is the highest of all, so that the number is not given again: records kept under a session's number must not
  // be taken for those of another session.
  const finish = db.prepare<[number, number, number]>(
    `DELETE FROM deletions WHERE session = ? AND NOT EXISTS (SELECT 1 FROM processes WHERE session = ?)
       AND ? < (SELECT max(number) FROM sessions)`,
  )

  /** Returns the last key of one step; undefined when the session has no events left. */
  function stepOf(session: number): number | undefined {
    let bytes = 0
    let last: number | undefined
    const take = (row: { place: number; bytes: number }) => {
      last = row.place
      bytes += row.bytes
      return bytes < stepBytes
    }
    first.scan(take, eventKey(session, 0), eventKey(session + 1, 0), stepRows)
    return last
  }

  function removeSome(session: number): boolean {
    try {
      const last = stepOf(session)
      if (last !== undefined) return remove.run(eventKey(session, 0), last) > 0
      removeActs.run(eventKey(session, 0), eventKey(session + 1, 0))
      finish.run(session, session, session)
    } catch (error) {
      // Events on damaged pages stay. The events of other sessions are still removed.
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
