import { checksumOf, contextOf, isSound } from '../sqlite/checksum.ts'
import { DatabaseBusy, DiskFull, isDamage, UnknownRecord } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { eventKey } from './event-key.ts'

/**
 * A decision as it is stored. It follows all output of the process up to `at`, and precedes the rest. If `at` is null,
 * it follows the act before it. `act` is its JSON.
 */
export interface ActRow {
  n: number
  time: number
  at: { process: string; offset: number } | null
  act: string
}

/**
 * The decisions of a session that recovery applies again, between the lines of the raw log. They are kept while the
 * session has a live process: without one, its records are its whole state. Numbers are never used again.
 */
export interface ActTable {
  /**
   * The first row must follow the session's newest act, and each further row the one before. Throws `UnknownRecord` for
   * an unknown session.
   */
  append(session: string, rows: readonly ActRow[]): void
  /**
   * Yields the acts with `n > after` in order, and reads each when it is requested. Throws `DatabaseRefused`
   * (`corrupt`) at an act that is damaged or gone: recovery then relies on the records.
   */
  read(session: string, after: number): Iterable<ActRow>
  /** Returns the numbers of the first stored act and of the newest act. `first` is `newest + 1` if no act is stored. */
  bounds(session: string): { first: number; newest: number }
  /** Forgets all acts, because the session's process has ended. */
  forget(session: string): void
  /**
   * Called when a snapshot includes the acts up to `n`. Forgets these acts if they are many or large. Otherwise they
   * stay, because a program that cannot read the snapshot applies them again.
   */
  covered(session: string, n: number): void
  /**
   * Removes the rows of forgotten acts. Not part of a transaction: SQLite refuses to commit one that met a damaged
   * page, and damaged acts must not keep the end of their process from being stored.
   */
  sweep(session: string): void
}

/** Bounds of the acts that are kept although a snapshot includes them: rows, and bytes of their texts. */
const maxCoveredRows = 10_000
const maxCoveredBytes = 16 * 1024 * 1024

interface Row {
  time: number
  process: string | null
  offset: number | null
  act: string
  crc: number | null
}

/** The columns of the session's row that describe its acts. */
interface Kept {
  number: number
  first: number
  newest: number
  bytes: number
}

export function createActTable(db: Sqlite): ActTable {
  const keptOf = db.prepare<[string], Kept>(
    'SELECT number, first_act AS first, newest_act AS newest, act_bytes AS bytes FROM sessions WHERE id = ?',
  )
  const keep = db.prepare<[Kept]>(
    'UPDATE sessions SET first_act = @first, newest_act = @newest, act_bytes = @bytes WHERE number = @number',
  )
  const liveProcess = db.value<[number], number>(
    'SELECT 1 FROM processes WHERE session = ? AND ended_at IS NULL LIMIT 1',
  )
  const insert = db.prepare<[number, number, string | null, number | null, string, number]>(
    'INSERT INTO acts (key, time, process, offset, act, crc) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const one = db.prepare<[number], Row>('SELECT time, process, offset, act, crc FROM acts WHERE key = ?')
  const remove = db.prepare<[number, number]>('DELETE FROM acts WHERE key > ? AND key < ?')

  function existing(session: string): Kept {
    const kept = keptOf.get(session)
    if (kept === undefined) throw new UnknownRecord(`session ${session} does not exist`)
    return kept
  }

  function readOne(session: string, number: number, n: number): ActRow {
    const key = eventKey(number, n)
    const row = one.get(key)
    if (!row) throw db.damage(`act ${n} of session ${session} is gone`)
    const { time, process, offset, act, crc } = row
    if (crc === null || !isSound(crc, act, actContext(key, time, process, offset))) {
      throw db.damage(`act ${n} of session ${session} has changed`)
    }
    return { n, time, at: process === null ? null : { process, offset: offset ?? 0 }, act }
  }

  return {
    append(session, rows) {
      if (rows.length === 0) return
      const kept = existing(session)
      const isKept = liveProcess.get(kept.number) !== undefined
      for (const { n, time, at, act } of rows) {
        kept.newest += 1
        if (n !== kept.newest) throw new Error(`session ${session}: act ${n} where ${kept.newest} was due`)
        if (!isKept) continue
        const key = eventKey(kept.number, n)
        const [process, offset] = [at?.process ?? null, at?.offset ?? null]
        insert.run(key, time, process, offset, act, checksumOf(act, actContext(key, time, process, offset)))
        kept.bytes += Buffer.byteLength(act)
      }
      if (!isKept) kept.first = kept.newest + 1
      keep.run(kept)
    },
    *read(session, after) {
      const { number, newest } = existing(session)
      for (let n = after + 1; n <= newest; n++) yield readOne(session, number, n)
    },
    bounds(session) {
      const { first, newest } = keptOf.get(session) ?? { first: 1, newest: 0 }
      return { first, newest }
    },
    forget(session) {
      const kept = existing(session)
      keep.run({ ...kept, first: kept.newest + 1, bytes: 0 })
    },
    covered(session, n) {
      const kept = existing(session)
      if (kept.bytes <= maxCoveredBytes && n - kept.first < maxCoveredRows) return
      keep.run({ ...kept, first: n + 1, bytes: 0 })
    },
    sweep(session) {
      const kept = keptOf.get(session)
      if (kept === undefined) return
      try {
        remove.run(eventKey(kept.number, 0), eventKey(kept.number, kept.first))
      } catch (error) {
        // Rows that stay do no harm. The next sweep, or the deletion of the session, removes them.
        if (!isDamage(error) && !(error instanceof DiskFull) && !(error instanceof DatabaseBusy)) throw error
      }
    },
  }
}

/** Returns the context of an act's checksum: the rest of its row. */
export const actContext = (key: number, time: number, process: string | null, offset: number | null): number =>
  contextOf(key, time, process, offset)
