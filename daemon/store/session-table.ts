import type { Session } from '../../protocol/index.ts'
import { createPager } from './pager.ts'
import type { Sqlite } from './sqlite.ts'
import type { SessionTable } from './store.ts'

/** Every wanted label is among the record's: compared as pairs, so that no label can be taken for a JSON path. */
const hasLabels = `NOT EXISTS (
  SELECT 1 FROM json_each(@labels) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM json_each(record, '$.labels') AS own WHERE own.key = wanted.key AND own.value = wanted.value))`

export function createSessionTable(db: Sqlite): SessionTable {
  const save = db.prepare<[string, string, string]>(
    `INSERT INTO sessions (number, id, state, record)
     VALUES (1 + max(coalesce((SELECT max(number) FROM sessions), 0), coalesce((SELECT max(session) FROM deletions), 0)),
       ?, ?, ?)
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
  // Without their session no reader finds its events and processes; runs are found by themselves.
  const deletion = [
    'DELETE FROM runs WHERE session = ?',
    'DELETE FROM sessions WHERE number = ?',
    'INSERT INTO deletions VALUES (?)',
  ].map(sql => db.prepare<[number]>(sql))

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
        for (const statement of deletion) statement.run(number)
      })
    },
  }
}

function parse(record: string): Session {
  return JSON.parse(record) as Session
}
