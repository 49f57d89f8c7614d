import { UnknownRecord } from '../sqlite/errors.ts'
import type { Sqlite, Statement } from '../sqlite/sqlite.ts'
import type { Page } from './pager.ts'

/** A row, and the cursor that requests the page behind it. */
interface RowWithCursor<Row> {
  row: Row
  cursor: string
}

/** The values that define the order. */
interface Position {
  urgency: number
  used_at: number
  number: number
}

type Condition = 'state' | 'listed' | 'labels'

const first: Position = { urgency: 9, used_at: Number.MAX_SAFE_INTEGER, number: Number.MAX_SAFE_INTEGER }

/**
 * Pages through the sessions by last use: those with an open approval first, then running ones, then the rest. A cursor
 * holds the values that define the order, so a page can be requested behind a session that has moved or was deleted.
 */
export function createUsePager<Row extends object>(
  db: Sqlite,
  columns: string,
  conditions: Record<Condition, string>,
): (page: Page, values: Partial<Record<Condition, string | undefined>>) => RowWithCursor<Row>[] {
  const statements = new Map<string, Statement<[object], Row & Position>>()

  function statementFor(given: Condition[]): Statement<[object], Row & Position> {
    const before = '(urgency, used_at, number) < (@urgency, @used_at, @number)'
    const where = [before, ...given.map(name => conditions[name])].join(' AND ')
    const sql = `SELECT ${columns}, urgency, used_at, number FROM sessions WHERE ${where}
      ORDER BY urgency DESC, used_at DESC, number DESC LIMIT @limit`
    const statement = statements.get(sql) ?? db.prepare<[object], Row & Position>(sql)
    statements.set(sql, statement)
    return statement
  }

  return ({ limit, after }, values) => {
    const given = (['state', 'listed', 'labels'] as const).filter(name => values[name] !== undefined)
    const rows = statementFor(given).all({ ...values, ...(after === undefined ? first : positionOf(after)), limit })
    return rows.map(row => ({ row, cursor: `used.${row.urgency}.${row.used_at}.${row.number}` }))
  }
}

function positionOf(text: string): Position {
  const [, urgency, usedAt, number] = /^used\.(\d)\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? []
  if (number === undefined) throw new UnknownRecord(`${text} is no place in the list by last use`)
  return { urgency: Number(urgency), used_at: Number(usedAt), number: Number(number) }
}
