import type { Approval } from '../../../protocol/index.ts'
import { checksumOf, contextOf, isSound } from '../sqlite/checksum.ts'
import { UnknownRecord } from '../sqlite/errors.ts'
import { exactText, originalText } from '../sqlite/exact-text.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import { createPager, listedCondition, type RecordFilter, stateValues } from './pager.ts'

/**
 * An approval as stored: the record of the wire, and what the daemon needs to answer Claude Code and to repeat the
 * answer.
 */
export interface StoredApproval {
  approval: Approval
  /** The process that asks, and the id of its request, which the answer names. */
  process: string
  requestId: string
  /** The answer for Claude Code, as JSON; null while there is none, and if the question was withdrawn. */
  answer: string | null
}

export interface ApprovalTable {
  /** Throws `UnknownRecord` when its session does not exist. */
  save(approval: StoredApproval): void
  get(id: string): StoredApproval | undefined
  /**
   * Newest first (by creation). `after` is the id of the last one on the page before; throws `UnknownRecord` if that is
   * gone.
   */
  list(filter: RecordFilter): StoredApproval[]
  /** Oldest first. */
  ofProcess(process: string): StoredApproval[]
}

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
