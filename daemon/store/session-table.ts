import type { Session } from '../../protocol/index.ts'
import { createPager } from './pager.ts'
import { placeOf } from './place.ts'
import type { Sqlite } from './sqlite.ts'
import type { SessionTable } from './store.ts'

/** Every wanted label is among the record's: compared as pairs, so that no label can be taken for a JSON path. */
const hasLabels = `NOT EXISTS (
  SELECT 1 FROM json_each(@labels) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM json_each(record, '$.labels') AS own WHERE own.key = wanted.key AND own.value = wanted.value))`

export function createSessionTable(db: Sqlite): SessionTable {
  const save = db.prepare<[string, string, string]>(
    `INSERT INTO sessions (id, state, record) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record`,
  )
  const get = db.value<[string], string>('SELECT record FROM sessions WHERE id = ?')
  const all = db.value<[], string>('SELECT record FROM sessions ORDER BY number')
  const count = db.value<[], number>('SELECT count(*) FROM sessions')
  const list = createPager<'state' | 'labels', { record: string }>(db, 'sessions', 'record', {
    state: 'state = @state',
    labels: hasLabels,
  })
  const numberOf = db.value<[string], number>('SELECT number FROM sessions WHERE id = ?')
  const deleteEvents = db.prepare<[number, number]>('DELETE FROM events WHERE place >= ? AND place < ?')
  const deleteRest = ['DELETE FROM runs WHERE session = ?', 'DELETE FROM processes WHERE session = ?'].map(sql =>
    db.prepare<[number]>(sql),
  )
  const deleteSession = db.prepare<[number]>('DELETE FROM sessions WHERE number = ?')

  return {
    save(session) {
      save.run(session.session, session.state, JSON.stringify(session))
    },
    get(id) {
      const record = get.get(id)
      return record === undefined ? undefined : parse(record)
    },
    list({ state, labels, limit, after }) {
      const wanted = labels === undefined ? undefined : JSON.stringify(labels)
      return list({ limit, after }, { state, labels: wanted }).map(row => parse(row.record))
    },
    all: () => all.all().map(parse),
    count: () => count.get() ?? 0,
    delete(id) {
      db.transaction(() => {
        const number = numberOf.get(id)
        if (number === undefined) return
        deleteEvents.run(placeOf(number, 0), placeOf(number + 1, 0))
        for (const statement of deleteRest) statement.run(number)
        deleteSession.run(number)
      })
    },
  }
}

function parse(record: string): Session {
  return JSON.parse(record) as Session
}
