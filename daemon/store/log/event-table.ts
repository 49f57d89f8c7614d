import { checksumOf, isSound } from '../sqlite/checksum.ts'
import { isDamage, UnknownRecord } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { damagedEvent } from './damaged-event.ts'
import { eventKey, seqOf } from './event-key.ts'

/**
 * An event as stored. `text` is its JSON, made once; `seq`, `run` and `type` repeat members of it (the columns do not
 * hold them again). `process` and `offset` name the raw bytes that it was derived from; they are null for an event that
 * the daemon or a client caused.
 */
export interface EventRow {
  seq: number
  run: string | null
  type: string
  text: string
  process: string | null
  offset: number | null
}

/**
 * Every event is checked when it is read. A damaged one is replaced by a `log_damaged` with its `seq`, so that the
 * numbering has no hole.
 */
export interface EventTable {
  /**
   * The first row must follow the session's head, and each further row the one before. Throws `UnknownRecord` for an
   * unknown session or process.
   */
  append(session: string, rows: readonly EventRow[]): void
  /** Texts of the events with `seq > after`, in order, up to the one that passes `maxBytes` or the `limit`th. */
  read(session: string, after: number, limit: number, maxBytes: number): string[]
  get(session: string, seq: number): EventRow | undefined
  /** Up to `limit` rows with `seq > after`, in order. Callers read a log in pages. */
  rows(session: string, after: number, limit: number): EventRow[]
  /** First and last seq kept; `{ first: 1, head: 0 }` when there are none. A log is kept whole, or not at all. */
  bounds(session: string): { first: number; head: number }
  /**
   * Bytes that the `count` events after `after` take up, approximately. A thousand events take a millisecond. Throws
   * `DatabaseRefused` (`corrupt`) if a page of them is damaged.
   */
  bytes(session: string, after: number, count: number): number
}

interface Row {
  place: number
  text: string
  crc: number | null
  number: number | null
  process: string | null
  offset: number | null
}
const select = `SELECT place, text, events.crc AS crc, events.process AS number, processes.id AS process, events.offset
  FROM events LEFT JOIN processes ON processes.number = events.process`

/**
 * SQL for the bytes that a text takes up on pages of 4 KB, approximately: its share of a page that holds several rows,
 * or whole pages of its own. (Two rows of 2.1 KB do not share a page, so the lengths of the texts alone may be half of
 * what is used.)
 */
const spaceOf = (bytes: string) =>
  `CASE WHEN ${bytes} <= 4060 THEN 4096 / (4084 / (${bytes} + 24)) ELSE (${bytes} + 4091) / 4092 * 4096 END`

/**
 * `head` returns the newest `seq` of a session by its number: see `lost-heads.ts`. `onDamaged` is called once for each
 * event that is found damaged.
 */
export function createEventTable(
  db: Sqlite,
  head: (session: number) => number,
  onDamaged: (session: string, seq: number) => void,
): EventTable {
  const sessionNumber = db.value<[string], number>('SELECT number FROM sessions WHERE id = ?')
  const processNumber = db.value<[string], number>('SELECT number FROM processes WHERE id = ?')
  const insert = db.prepare<[number, number | null, number | null, string, number]>(
    'INSERT INTO events (place, process, offset, text, crc) VALUES (?, ?, ?, ?, ?)',
  )
  const following = db.prepare<[number, number, number], Row>(
    `${select} WHERE place > ? AND place < ? ORDER BY place LIMIT ?`,
  )
  const space = db.value<[number, number], number>(
    `SELECT total(${spaceOf('octet_length(text)')}) FROM events WHERE place > ? AND place <= ?`,
  )
  const one = db.prepare<[number], Row>(`${select} WHERE place = ?`)
  const reported = new Set<number>()

  function existing(session: string): number {
    const number = sessionNumber.get(session)
    if (number === undefined) throw new UnknownRecord(`session ${session} does not exist`)
    return number
  }

  function existingProcess(id: string): number {
    const number = processNumber.get(id)
    if (number === undefined) throw new UnknownRecord(`process ${id} does not exist`)
    return number
  }

  /** Returns the row if it is as it was written, otherwise a replacement, so that the numbering has no hole. */
  function checked(session: string, key: number, row: Row | undefined): Pick<Row, 'text' | 'process' | 'offset'> {
    if (row && isSound(row.crc, row.text, eventContext(key, row.number, row.offset))) return row
    if (!reported.has(key)) onDamaged(session, seqOf(key))
    reported.add(key)
    return { text: damagedEvent(seqOf(key), row), process: null, offset: null }
  }

  /** Reads one row by itself, independent of damage to the rows around it. */
  function single(session: string, key: number) {
    let row: Row | undefined
    try {
      row = one.get(key)
    } catch (error) {
      if (!isDamage(error)) throw error
    }
    return checked(session, key, row)
  }

  /**
   * Passes up to `limit` rows with `seq > after` to `take` in order, until it returns false. Damaged and missing rows
   * are replaced.
   */
  function each(
    session: string,
    after: number,
    limit: number,
    take: (row: ReturnType<typeof checked>, seq: number) => boolean,
  ): void {
    const number = sessionNumber.get(session)
    if (number === undefined) return
    const end = Math.min(after + limit, head(number))
    let seq = after + 1
    let more = seq <= end
    const next = (row: Row) => {
      // A hole, or a row with a wrong key: from here on each row is looked up by itself.
      if (row.place !== eventKey(number, seq)) return false
      more = take(checked(session, row.place, row), seq++) && seq <= end
      return more
    }
    try {
      if (more) following.scan(next, eventKey(number, after), eventKey(number + 1, 0), limit)
    } catch (error) {
      if (!isDamage(error)) throw error
    }
    while (more) more = take(single(session, eventKey(number, seq)), seq++) && seq <= end
  }

  return {
    append(session, rows) {
      const number = existing(session)
      let expected = head(number) + 1
      let process: { id: string; number: number } | undefined
      for (const row of rows) {
        if (row.seq !== expected) throw new Error(`session ${session}: event ${row.seq} where ${expected} was due`)
        if (row.process !== null && row.process !== process?.id) {
          process = { id: row.process, number: existingProcess(row.process) }
        }
        const key = eventKey(number, row.seq)
        const from = row.process === null ? null : process!.number
        insert.run(key, from, row.offset, row.text, checksumOf(row.text, eventContext(key, from, row.offset)))
        expected++
      }
      // In a damaged tree a row may be put where it cannot be found. It must not be reported as stored then.
      if (head(number) !== expected - 1) throw db.damage(`the end of the log of session ${session} cannot be found`)
    },
    read(session, after, limit, maxBytes) {
      const page: string[] = []
      let bytes = 0
      each(session, after, limit, ({ text }) => {
        page.push(text)
        bytes += Buffer.byteLength(text)
        return bytes <= maxBytes
      })
      return page
    },
    get(session, seq) {
      return seq < 1 ? undefined : this.rows(session, seq - 1, 1)[0]
    },
    rows(session, after, limit) {
      const rows: EventRow[] = []
      each(session, after, limit, ({ text, process, offset }, seq) => {
        const { run, type } = JSON.parse(text) as { run?: string | null; type: string }
        rows.push({ seq, run: run ?? null, type, text, process, offset })
        return true
      })
      return rows
    },
    bytes(session, after, count) {
      const number = sessionNumber.get(session)
      if (number === undefined) return 0
      return space.get(eventKey(number, after), eventKey(number, after + count)) ?? 0
    },
    bounds(session) {
      const number = sessionNumber.get(session)
      return { first: 1, head: number === undefined ? 0 : head(number) }
    },
  }
}

/**
 * Like `contextOf` in `checksum.ts`, but for three numbers and without a text of them: a change of any number gives
 * another context.
 */
export function eventContext(key: number, process: number | null, offset: number | null): number {
  const bytes = offset ?? -1
  return (mixed(key, 0x9e3779b1) ^ mixed(process ?? -1, 0x85ebca6b) ^ mixed(bytes, 0xc2b2ae35)) >>> 0
}

/** Mixes both halves of a number up to 2^53. The factors are odd, so that nothing is lost. */
const mixed = (value: number, factor: number) =>
  Math.imul(value, factor) ^ Math.imul(Math.floor(value / 2 ** 32), factor - 2)
