import type { Run } from '../../protocol/index.ts'
import { createPager } from './pager.ts'
import type { Sqlite } from './sqlite.ts'
import { UnknownRecord, type RunTable, type StoredRun } from './store.ts'

interface Row {
  record: string
  prompt_uuid: string | null
}
const columns = 'record, prompt_uuid'

export function createRunTable(db: Sqlite): RunTable {
  const save = db.prepare<[string, string, string | null, string, string]>(
    `INSERT INTO runs (id, session, state, prompt_uuid, record)
     SELECT ?, number, ?, ?, ? FROM sessions WHERE id = ?
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, prompt_uuid = excluded.prompt_uuid, record = excluded.record`,
  )
  const get = db.prepare<[string], Row>(`SELECT ${columns} FROM runs WHERE id = ?`)
  const list = createPager<'session' | 'state', Row>(db, 'runs', columns, {
    session: 'session = (SELECT number FROM sessions WHERE id = @session)',
    state: 'state = @state',
  })
  const unfinished = db.prepare<[], Row>(
    `SELECT ${columns} FROM runs WHERE state IN ('queued', 'running', 'cancelling') ORDER BY number`,
  )
  const counts = db.prepare<[], { state: string; count: number }>(
    'SELECT state, count(*) AS count FROM runs GROUP BY state',
  )

  return {
    save({ run, promptUuid }) {
      const saved = save.run(run.run, run.state, promptUuid, JSON.stringify(run), run.session)
      if (saved === 0) throw new UnknownRecord(`run ${run.run} is of session ${run.session}, which does not exist`)
    },
    get(id) {
      const row = get.get(id)
      return row && parse(row)
    },
    list: ({ session, state, limit, after }) => list({ limit, after }, { session, state }).map(parse),
    unfinished: () => unfinished.all().map(parse),
    countByState: () => Object.fromEntries(counts.all().map(({ state, count }) => [state, count])),
  }
}

function parse(row: Row): StoredRun {
  return { run: JSON.parse(row.record) as Run, promptUuid: row.prompt_uuid }
}
