import type { Run } from '../../../protocol/index.ts'
import { checksumOf, contextOf, isSound } from '../sqlite/checksum.ts'
import { UnknownRecord } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { createPager, listedCondition, type RecordFilter, stateValues } from './pager.ts'

/** A run as stored: the record of the wire, and what the daemon needs to continue the run. */
export interface StoredRun {
  run: Run
  /** The uuid that its prompt was sent to Claude Code with; null for a run that Claude Code began itself. */
  promptUuid: string | null
}

export interface RunTable {
  save(run: StoredRun): void
  get(id: string): StoredRun | undefined
  /**
   * Newest first (by creation). `after` is the id of the last one on the page before; throws `UnknownRecord` if that is
   * gone.
   */
  list(filter: RecordFilter): StoredRun[]
  /** Runs that have no terminal event yet, oldest first. */
  unfinished(): StoredRun[]
  countByState(): Record<string, number>
}

interface Row {
  id: string
  state: string
  record: string
  prompt_uuid: string | null
  crc: number | null
}
const columns = 'id, state, record, prompt_uuid, crc'

export function createRunTable(db: Sqlite): RunTable {
  const save = db.prepare<[string, string, string | null, string, number, string]>(
    `INSERT INTO runs (id, session, state, prompt_uuid, record, crc)
     SELECT ?, number, ?, ?, ?, ? FROM sessions WHERE id = ?
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, prompt_uuid = excluded.prompt_uuid, record = excluded.record,
       crc = excluded.crc`,
  )
  const get = db.prepare<[string], Row>(`SELECT ${columns} FROM runs WHERE id = ?`)
  const list = createPager<'session' | 'state' | 'listed', Row>(db, 'runs', columns, {
    session: 'session = (SELECT number FROM sessions WHERE id = @session)',
    state: 'state = @state',
    listed: listedCondition,
  })
  const unfinished = db.prepare<[], Row>(
    `SELECT ${columns} FROM runs WHERE state IN ('queued', 'running', 'cancelling') ORDER BY number`,
  )
  const counts = db.prepare<[], { state: string; count: number }>(
    'SELECT state, count(*) AS count FROM runs GROUP BY state',
  )

  return {
    save({ run, promptUuid }) {
      const record = JSON.stringify(run)
      const crc = checksumOf(record, contextOf(run.run, run.state, promptUuid))
      const saved = save.run(run.run, run.state, promptUuid, record, crc, run.session)
      if (saved === 0) throw new UnknownRecord(`run ${run.run} is of session ${run.session}, which does not exist`)
    },
    get(id) {
      const row = get.get(id)
      return row && parse(row)
    },
    list: ({ session, state, listed, limit, after }) =>
      list({ limit, after }, { session, ...stateValues(state, listed) }).map(parse),
    unfinished: () => unfinished.all().map(parse),
    countByState: () => Object.fromEntries(counts.all().map(({ state, count }) => [state, count])),
  }

  function parse({ id, state, record, prompt_uuid: promptUuid, crc }: Row): StoredRun {
    if (!isSound(crc, record, contextOf(id, state, promptUuid))) throw db.damage(`the record of run ${id} has changed`)
    // Records of an older muxd have no queue position.
    return { run: { position: null, ...(JSON.parse(record) as Omit<Run, 'position'>) }, promptUuid }
  }
}
