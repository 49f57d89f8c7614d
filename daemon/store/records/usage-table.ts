import type { EventOf, Tokens } from '../../../protocol/index.ts'
import { eventKey } from '../log/event-key.ts'
import type { EventRow } from '../log/event-table.ts'
import { UnknownRecord } from '../sqlite/errors.ts'
import { exactText, originalText } from '../sqlite/exact-text.ts'
import type { Sqlite, Statement } from '../sqlite/sqlite.ts'

/** How sums are grouped. A `quarter` is a quarter of an hour, counted from the epoch. */
export type UsageGroup = 'quarter' | 'model' | 'session' | 'run'

/**
 * The usage of one group. Members of groups that were not asked for are absent. An empty `model` is an unknown one. An
 * empty `run` is usage between runs. `runs` counts the different runs of the group.
 */
export interface UsageSum extends Tokens {
  quarter?: number
  model?: string
  session?: string
  run?: string
  costUsd: number
  runs: number
}

/**
 * The usage of runs, by model: a projection of the `cost` events that outlives their session. Of a deleted session it
 * keeps only the id of the session and the ids of its runs.
 */
export interface UsageTable {
  /**
   * Stores the usage that the `cost` events among a session's rows report. Storing the same rows again changes nothing.
   */
  save(session: string, rows: readonly EventRow[]): void
  /** Sums of what was used at `from` (ms since epoch) or later and before `to`, in no order. */
  sums(filter: { from: number; to: number; session?: string; by: readonly UsageGroup[] }): UsageSum[]
  /** Times of the first and the last usage that is kept (ms since epoch); undefined if there is none. */
  bounds(): { first: number; last: number } | undefined
  /** Forgets usage before `time` (ms since epoch), at most `limit` rows of it. Returns how many. */
  forgetBefore(time: number, limit: number): number
}

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
 * Creates the usage table, which has a row for each `cost` event and model. The event's key is part of the key of the
 * row, so writing the event again writes the same row and nothing counts twice.
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
          save.run({ ...share, model: exactText(share.model), session, place: eventKey(number, row.seq) })
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
