import type { EventOf } from '../../protocol/index.ts'
import { exactText, originalText } from './exact-text.ts'
import { placeOf } from './place.ts'
import type { Sqlite, Statement } from './sqlite/sqlite.ts'
import { type EventRow, UnknownRecord, type UsageGroup, type UsageSum, type UsageTable } from './store.ts'

interface Row {
  place: number
  model: string
  time: number
  session: string
  run: string
  costUsd: number
  input: number
  output: number
  cacheCreation: number
  cacheRead: number
}

/**
 * The usage, with a row for each `cost` event and model. The event's place is the key: writing the event again writes
 * the same row again, so that nothing counts twice.
 */
export function createUsageTable(db: Sqlite): UsageTable {
  const numberOf = db.value<[string], number>('SELECT number FROM sessions WHERE id = ?')
  const save = db.prepare<[Row]>(
    `INSERT INTO usage (place, model, time, session, run, cost_usd, input, output, cache_creation, cache_read)
     VALUES (@place, @model, @time, @session, @run, @costUsd, @input, @output, @cacheCreation, @cacheRead)
     ON CONFLICT (place, model) DO UPDATE SET time = excluded.time, session = excluded.session, run = excluded.run,
       cost_usd = excluded.cost_usd, input = excluded.input, output = excluded.output,
       cache_creation = excluded.cache_creation, cache_read = excluded.cache_read`,
  )
  const bounds = db.prepare<[], { first: number | null; last: number | null }>(
    'SELECT min(time) AS first, max(time) AS last FROM usage',
  )
  const forget = db.prepare<[number, number]>(
    'DELETE FROM usage WHERE (place, model) IN (SELECT place, model FROM usage WHERE time < ? LIMIT ?)',
  )
  const statements = new Map<string, Statement<[object], UsageSum>>()

  function sumsBy(groups: readonly UsageGroup[], ofSession: boolean): Statement<[object], UsageSum> {
    const sql = sumSql(groups, ofSession)
    const statement = statements.get(sql) ?? db.prepare<[object], UsageSum>(sql)
    statements.set(sql, statement)
    return statement
  }

  return {
    save(session, rows) {
      for (const row of rows) {
        if (row.type !== 'cost') continue
        const number = numberOf.get(session)
        if (number === undefined) throw new UnknownRecord(`session ${session} does not exist`)
        for (const share of sharesOf(row))
          save.run({ ...share, model: exactText(share.model), session, place: placeOf(number, row.seq) })
      }
    },
    sums({ from, to, session, by }) {
      const sums = sumsBy(by, session !== undefined).all({ from, to, ...(session !== undefined && { session }) })
      return sums.map(({ model, ...sum }) => ({ ...sum, ...(model !== undefined && { model: originalText(model) }) }))
    },
    bounds() {
      const { first = null, last = null } = bounds.get() ?? {}
      return first === null || last === null ? undefined : { first, last }
    },
    forgetBefore: (time, limit) => forget.run(time, limit),
  }
}

/** Returns the event's usage by model. An event that names no models gives one share with an unknown model. */
function sharesOf({ text }: EventRow): Omit<Row, 'place' | 'session'>[] {
  const { time, run, runCostUsd, tokens, runModels } = JSON.parse(text) as EventOf<'cost'>
  const shares = Object.entries(runModels ?? { '': { costUsd: runCostUsd, tokens } })
  return shares.map(([model, { costUsd, tokens: counts }]) => ({ model, time, run: run ?? '', costUsd, ...counts }))
}

const columns: Record<UsageGroup, string> = {
  quarter: 'time / 900000',
  model: 'model',
  session: 'session',
  run: 'run',
}

/** Counts the different runs of a group: a run that used two models is one run. */
function sumSql(by: readonly UsageGroup[], ofSession: boolean): string {
  const named = by.map(group => `${columns[group]} AS ${group}`)
  const sums = ['total(cost_usd) AS costUsd', ...counts, `count(DISTINCT nullif(run, '')) AS runs`]
  const groups = by.length > 0 ? ` GROUP BY ${by.map(group => columns[group]).join(', ')}` : ''
  return `SELECT ${[...named, ...sums].join(', ')} FROM usage
    WHERE time >= @from AND time < @to${ofSession ? ' AND session = @session' : ''}${groups}`
}

const counts = [
  'total(input) AS input',
  'total(output) AS output',
  'total(cache_creation) AS cacheCreation',
  'total(cache_read) AS cacheRead',
]
