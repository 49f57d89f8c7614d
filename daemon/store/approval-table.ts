import type { Approval } from '../../protocol/index.ts'
import { checksumOf, contextOf, isSound } from './checksum.ts'
import { exactText, originalText } from './exact-text.ts'
import { createPager, listedCondition, stateValues } from './pager.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import { UnknownRecord, type ApprovalTable, type StoredApproval } from './store.ts'

interface Row {
  id: string
  state: string
  process: string
  request_id: string
  answer: string | null
  record: string
  crc: number
}
const columns = 'id, state, process, request_id, answer, record, crc'

export function createApprovalTable(db: Sqlite): ApprovalTable {
  const save = db.prepare<[string, string, string, string, string | null, string, number, string]>(
    `INSERT INTO approvals (id, session, state, process, request_id, answer, record, crc)
     SELECT ?, number, ?, ?, ?, ?, ?, ? FROM sessions WHERE id = ?
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, answer = excluded.answer, record = excluded.record,
       crc = excluded.crc`,
  )
  const get = db.prepare<[string], Row>(`SELECT ${columns} FROM approvals WHERE id = ?`)
  const ofProcess = db.prepare<[string], Row>(`SELECT ${columns} FROM approvals WHERE process = ? ORDER BY number`)
  const list = createPager<'session' | 'state' | 'listed', Row>(db, 'approvals', columns, {
    session: 'session = (SELECT number FROM sessions WHERE id = @session)',
    state: 'state = @state',
    listed: listedCondition,
  })

  return {
    save({ approval, process, requestId, answer }) {
      const { approval: id, session, state } = approval
      const record = JSON.stringify(approval)
      const crc = checksumOf(record, contextOf(id, state, process, requestId, answer))
      if (save.run(id, state, process, exactText(requestId), answer, record, crc, session) > 0) return
      throw new UnknownRecord(`approval ${id} is of session ${session}, which does not exist`)
    },
    get(id) {
      const row = get.get(id)
      return row && parse(row)
    },
    list: ({ session, state, listed, limit, after }) =>
      list({ limit, after }, { session, ...stateValues(state, listed) }).map(parse),
    ofProcess: process => ofProcess.all(process).map(parse),
  }

  function parse({ id, state, process, request_id, answer, record, crc }: Row): StoredApproval {
    const requestId = originalText(request_id)
    const context = contextOf(id, state, process, requestId, answer)
    if (!isSound(crc, record, context)) throw db.damage(`the record of approval ${id} has changed`)
    return { approval: JSON.parse(record) as Approval, process, requestId, answer }
  }
}
