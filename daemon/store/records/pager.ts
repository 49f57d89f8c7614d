import { UnknownRecord } from '../sqlite/errors.ts'
import type { Sqlite, Statement } from '../sqlite/sqlite.ts'

/** Records to list under another state than the stored one; null leaves the record out. */
export interface Listed {
  states: { id: string; state: string | null }[]
}

export interface RecordFilter {
  session?: string
  state?: string
  listed?: Listed | undefined
  limit: number
  after?: string
}

export interface Page {
  limit: number
  /** Id of the last record of the page before. */
  after?: string | undefined
}

/** Condition for a list in which some records have another state than the stored one: see `Listed`. */
export const listedCondition = `(id NOT IN (SELECT value ->> 'id' FROM json_each(@listed, '$.states'))
    AND (@listed ->> 'state' IS NULL OR state = @listed ->> 'state')
  OR id IN (SELECT value ->> 'id' FROM json_each(@listed, '$.states')
    WHERE value ->> 'state' = coalesce(@listed ->> 'state', value ->> 'state')))`

/** Returns the states of a list's filter as values for the conditions `state` and `listed`. */
export const stateValues = (state: string | undefined, listed: Listed | undefined) =>
  listed === undefined ? { state } : { listed: JSON.stringify({ ...listed, state: state ?? null }) }

/**
 * Pages through a table's records, newest first. `conditions` maps the name of a parameter to SQL, which applies if the
 * parameter is given. Each combination is prepared once.
 */
export function createPager<Name extends string, Row>(
  db: Sqlite,
  table: string,
  columns: string,
  conditions: Record<Name, string>,
): (page: Page, values: Partial<Record<Name, string | number | undefined>>) => Row[] {
  const numberOf = db.value<[string], number>(`SELECT number FROM ${table} WHERE id = ?`)
  const names = Object.keys(conditions) as Name[]
  const statements = new Map<string, Statement<[object], Row>>()

  function statementFor(given: Name[]): Statement<[object], Row> {
    const where = ['number < @before', ...given.map(name => conditions[name])].join(' AND ')
    const sql = `SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY number DESC LIMIT @limit`
    const statement = statements.get(sql) ?? db.prepare<[object], Row>(sql)
    statements.set(sql, statement)
    return statement
  }

  return ({ limit, after }, values) => {
    const before = after === undefined ? Number.MAX_SAFE_INTEGER : numberOf.get(after)
    if (before === undefined) throw new UnknownRecord(`${after} is not in the list (any more)`)
    const given = names.filter(name => values[name] !== undefined)
    return statementFor(given).all({ ...values, before, limit })
  }
}
