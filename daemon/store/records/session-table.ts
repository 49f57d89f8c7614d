import type { Session } from '../../../protocol/index.ts'
import { checksumOf, contextOf, isSound } from '../sqlite/checksum.ts'
import { UnknownRecord } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { createPager, type Listed, listedCondition, stateValues } from './pager.ts'
import { createUsePager } from './use-pager.ts'

export interface SessionFilter {
  state?: string
  listed?: Listed | undefined
  labels?: Record<string, string>
  limit: number
  after?: string
}

export interface SessionTable {
  add(session: Session): void
  /** Throws `UnknownRecord` if the session does not exist: a deleted one never comes back. */
  save(session: Session): void
  get(id: string): Session | undefined
  /**
   * Newest first (by creation). `after` is the id of the last one on the page before; throws `UnknownRecord` if that is
   * gone.
   */
  list(filter: SessionFilter): Session[]
  /**
   * Waiting sessions first, then running ones, then the rest, each by last use. `after` is the `cursor` of the last one
   * before.
   */
  listByUse(filter: SessionFilter): { session: Session; cursor: string }[]
  all(): Session[]
  /** The session that has this Claude Code conversation. */
  ofConversation(conversationId: string): Session | undefined
  /** In order of creation. */
  ids(): string[]
  count(): number
  /**
   * Deletes a session with its runs and approvals. From now on readers do not find its processes and events either.
   * Events, and the process rows that name its files, are removed later, through `DeletionTable`.
   */
  delete(id: string): void
}

/**
 * SQL: the record has every label in `@labels`. Compares labels as pairs, so that no name is taken for a JSON path.
 */
const hasLabels = `NOT EXISTS (
  SELECT 1 FROM json_each(@labels) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM json_each(record, '$.labels') AS own WHERE own.key = wanted.key AND own.value = wanted.value))`

interface Row {
  id: string
  state: string
  record: string
  crc: number | null
  used_at: number
}
const columns = 'id, state, record, crc, used_at'

export function createSessionTable(db: Sqlite): SessionTable {
  const add = db.prepare<[string, string, string, number, number]>(
    `INSERT INTO sessions (number, id, state, record, crc, used_at)
     VALUES (1 + max(coalesce((SELECT max(number) FROM sessions), 0), coalesce((SELECT max(session) FROM deletions), 0)),
       ?, ?, ?, ?, ?)`,
  )
  const save = db.prepare<[string, string, number, number, string]>(
    'UPDATE sessions SET state = ?, record = ?, crc = ?, used_at = ? WHERE id = ?',
  )
  const get = db.prepare<[string], Row>(`SELECT ${columns} FROM sessions WHERE id = ?`)
  const all = db.prepare<[], Row>(`SELECT ${columns} FROM sessions ORDER BY number`)
  const ofConversation = db.prepare<[string], Row>(
    `SELECT ${columns} FROM sessions WHERE json_extract(record, '$.conversationId') = ?`,
  )
  const ids = db.value<[], string>('SELECT id FROM sessions ORDER BY number')
  const count = db.value<[], number>('SELECT count(*) FROM sessions')
  const conditions = { state: 'state = @state', listed: listedCondition, labels: hasLabels }
  const list = createPager<'state' | 'listed' | 'labels', Row>(db, 'sessions', columns, conditions)
  const listByUse = createUsePager<Row>(db, columns, conditions)
  const numberOf = db.value<[string], number>('SELECT number FROM sessions WHERE id = ?')
  // Readers find events and processes only through their session. Runs and approvals are found by themselves.
  const deletion = [
    'DELETE FROM runs WHERE session = ?',
    'DELETE FROM approvals WHERE session = ?',
    'DELETE FROM sessions WHERE number = ?',
    'INSERT INTO deletions VALUES (?)',
  ].map(sql => db.prepare<[number]>(sql))

  return {
    add(session) {
      const { id, state, record, crc, used_at: usedAt } = rowOf(session)
      add.run(id, state, record, crc, usedAt)
    },
    save(session) {
      const { id, state, record, crc, used_at: usedAt } = rowOf(session)
      if (save.run(state, record, crc, usedAt, id) === 0) throw new UnknownRecord(`session ${id} does not exist`)
    },
    get(id) {
      const row = get.get(id)
      return row && parse(row)
    },
    list({ state, listed, labels, limit, after }) {
      const wanted = labels === undefined ? undefined : JSON.stringify(labels)
      return list({ limit, after }, { ...stateValues(state, listed), labels: wanted }).map(parse)
    },
    listByUse({ state, listed, labels, limit, after }) {
      const wanted = labels === undefined ? undefined : JSON.stringify(labels)
      return listByUse({ limit, after }, { ...stateValues(state, listed), labels: wanted }).map(({ row, cursor }) => ({
        session: parse(row),
        cursor,
      }))
    },
    all: () => all.all().map(parse),
    ofConversation(conversationId) {
      const row = ofConversation.get(conversationId)
      return row && parse(row)
    },
    ids: () => ids.all(),
    count: () => count.get() ?? 0,
    delete(id) {
      db.transaction(() => {
        const number = numberOf.get(id)
        if (number === undefined) return
        for (const statement of deletion) statement.run(number)
      })
    },
  }

  function parse({ id, state, record, crc, used_at: usedAt }: Row): Session {
    const damage = () => db.damage(`the record of session ${id} has changed`)
    if (!isSound(crc, record, contextOf(id, state))) throw damage()
    // A record of an older muxd has no `usedAt`: the schema step has put it into the column.
    const session = { usedAt, ...(JSON.parse(record) as Omit<Session, 'usedAt'>) }
    if (session.usedAt !== usedAt) throw damage()
    return session
  }
}

function rowOf(session: Session): Row & { crc: number } {
  const { session: id, state, usedAt } = session
  const record = JSON.stringify(session)
  return { id, state, record, crc: checksumOf(record, contextOf(id, state)), used_at: usedAt }
}
