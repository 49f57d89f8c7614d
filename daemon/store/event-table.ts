import { placeOf, seqOf } from './place.ts'
import type { Sqlite } from './sqlite.ts'
import { UnknownRecord, type EventRow, type EventTable } from './store.ts'

interface Row {
  place: number
  text: string
  process: string | null
  offset: number | null
}
const select = `SELECT place, text, processes.id AS process, events.offset
  FROM events LEFT JOIN processes ON processes.number = events.process`

/**
 * What a text takes up on pages of 4 KB, about: as many rows as find room on one, or so many pages of its own. (Two
 * rows of 2.1 KB do not share a page: the texts' lengths alone may be half of what is used.)
 */
const spaceOf = (bytes: string) =>
  `CASE WHEN ${bytes} <= 4060 THEN 4096 / (4084 / (${bytes} + 24)) ELSE (${bytes} + 4091) / 4092 * 4096 END`

export function createEventTable(db: Sqlite): EventTable {
  const sessionNumber = db.value<[string], number>('SELECT number FROM sessions WHERE id = ?')
  const processNumber = db.value<[string], number>('SELECT number FROM processes WHERE id = ?')
  const insert = db.prepare<[number, number | null, number | null, string]>(
    'INSERT INTO events (place, process, offset, text) VALUES (?, ?, ?, ?)',
  )
  const first = db.value<[number, number], number | null>('SELECT min(place) FROM events WHERE place > ? AND place < ?')
  const last = db.value<[number, number], number | null>('SELECT max(place) FROM events WHERE place > ? AND place < ?')
  const texts = db.value<[number, number, number], string>(
    'SELECT text FROM events WHERE place > ? AND place < ? ORDER BY place LIMIT ?',
  )
  const one = db.prepare<[number], Row>(`${select} WHERE place = ?`)
  const following = db.prepare<[number, number, number], Row>(
    `${select} WHERE place > ? AND place < ? ORDER BY place LIMIT ?`,
  )
  const space = db.value<[number, number], number>(
    `SELECT total(${spaceOf('octet_length(text)')}) FROM events WHERE place > ? AND place <= ?`,
  )
  const ofProcess = db.prepare<[number, number, string], Row>(
    `${select} WHERE place > ? AND place < ? AND processes.id = ? ORDER BY place`,
  )

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

  const head = (number: number) => seqOf(last.get(placeOf(number, 0), placeOf(number + 1, 0)) ?? 0)

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
        insert.run(placeOf(number, row.seq), row.process === null ? null : process!.number, row.offset, row.text)
        expected++
      }
    },
    read(session, after, limit, maxBytes) {
      const page: string[] = []
      const number = sessionNumber.get(session)
      if (number === undefined) return page
      let bytes = 0
      const take = (text: string) => {
        page.push(text)
        bytes += Buffer.byteLength(text)
        return bytes <= maxBytes
      }
      texts.scan(take, placeOf(number, after), placeOf(number + 1, 0), limit)
      return page
    },
    get(session, seq) {
      const number = sessionNumber.get(session)
      const row = number === undefined ? undefined : one.get(placeOf(number, seq))
      return row && eventRow(row)
    },
    rows(session, after, limit) {
      const number = sessionNumber.get(session)
      if (number === undefined) return []
      return following.all(placeOf(number, after), placeOf(number + 1, 0), limit).map(eventRow)
    },
    ofProcess(session, process) {
      const number = sessionNumber.get(session)
      if (number === undefined) return []
      return ofProcess.all(placeOf(number, 0), placeOf(number + 1, 0), process).map(eventRow)
    },
    bytes(session, after, count) {
      const number = sessionNumber.get(session)
      if (number === undefined) return 0
      return space.get(placeOf(number, after), placeOf(number, after + count)) ?? 0
    },
    bounds(session) {
      const number = sessionNumber.get(session)
      const lowest = number === undefined ? undefined : first.get(placeOf(number, 0), placeOf(number + 1, 0))
      if (number === undefined || typeof lowest !== 'number') return { first: 1, head: 0 }
      return { first: seqOf(lowest), head: head(number) }
    },
  }
}

function eventRow({ place, text, process, offset }: Row): EventRow {
  const { run, type } = JSON.parse(text) as { run?: string | null; type: string }
  return { seq: seqOf(place), run: run ?? null, type, text, process, offset }
}
