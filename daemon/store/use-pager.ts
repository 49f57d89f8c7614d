import type { Page } from './pager.ts'
import type { Sqlite, Statement } from './sqlite/sqlite.ts'
import { UnknownRecord } from './store.ts'

/** A row with its place in the order. The request for the next page names that place. */
export interface Placed<Row> {
  row: Row
  place: string
}

interface Place {
  urgency: number
  used_at: number
  number: number
}

type Condition = 'state' | 'listed' | 'labels'

const first: Place = { urgency: 9, used_at: Number.MAX_SAFE_INTEGER, number: Number.MAX_SAFE_INTEGER }

/**
 * Pages through the sessions by last use: those with an open approval first, then running ones, then the rest. A place
 * holds the values that define the order, so a page can be requested behind a session that has moved or is deleted.
 */
export function createUsePager<Row extends object>(
  db: Sqlite,
  columns: string,
  conditions: Record<Condition, string>,
): (page: Page, values: Partial<Record<Condition, string | undefined>>) => Placed<Row>[] {
  const statements = new Map<string, Statement<[object], Row & Place>>()

  function statementFor(given: Condition[]): Statement<[object], Row & Place> {
    const before = '(urgency, used_at, number) < (@urgency, @used_at, @number)'
    const where = [before, ...given.map(name => conditions[name])].join(' AND ')
    const sql = `SELECT ${columns}, urgency, used_at, number FROM sessions WHERE ${where}
      ORDER BY urgency DESC, used_at DESC, number DESC LIMIT @limit`
    const statement = statements.get(sql) ?? db.prepare<[object], Row & Place>(sql)
    statements.set(sql, statement)
    return statement
  }

  return ({ limit, after }, values) => {
    const given = (['state', 'listed', 'labels'] as const).filter(name => values[name] !== undefined)
    const rows = statementFor(given).all({ ...values, ...(after === undefined ? first : placeOf(after)), limit })
    return rows.map(row => ({ row, place: `used.${row.urgency}.${row.used_at}.${row.number}` }))
  }
}

function placeOf(text: string): Place {
  const [, urgency, usedAt, number] = /^used\.(\d)\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? []
  if (number === undefined) throw new UnknownRecord(`${text} is no place in the list by last use`)
  return { urgency: Number(urgency), used_at: Number(usedAt), number: Number(number) }
}
