import type { UsageGroup, UsageRow } from '../../protocol/index.ts'
import type { UsageSum } from '../store/store.ts'

/** Usage is summed by quarters of an hour, because in every time zone a day begins with one. */
export const quarterMs = 15 * 60_000

/** Adds up sums that come in parts; pure. */
export interface UsageSums {
  add(sums: readonly UsageSum[]): void
  /** Number of rows so far. */
  readonly size: number
  /** Newest day first; within a day, or without days, the most expensive first. */
  rows(): UsageRow[]
}

/**
 * Creates sums with rows grouped by `by`. The sums that are added have the same groups, but `quarter` in place of
 * `day`.
 */
export function createUsageSums(by: readonly UsageGroup[], dayOf: (time: number) => string): UsageSums {
  const rows = new Map<string, UsageRow>()
  const days = new Map<number, string>()
  const dayOfQuarter = (quarter: number) => {
    const known = days.get(quarter) ?? dayOf(quarter * quarterMs)
    days.set(quarter, known)
    return known
  }
  const named: Record<UsageGroup, (sum: UsageSum) => Partial<UsageRow>> = {
    day: ({ quarter = 0 }) => ({ day: dayOfQuarter(quarter) }),
    model: ({ model }) => ({ model: model || null }),
    session: ({ session = '' }) => ({ session }),
    run: ({ run }) => ({ run: run || null }),
  }

  return {
    add(sums) {
      for (const sum of sums) {
        const names = Object.assign({}, ...by.map(group => named[group](sum))) as Partial<UsageRow>
        const key = JSON.stringify(names)
        const row = rows.get(key)
        if (row) addTo(row, sum)
        else rows.set(key, { ...names, ...figures(sum) })
      }
    },
    get size() {
      return rows.size
    },
    rows: () => [...rows.values()].map(rounded).sort(newestThenDearest),
  }
}

export const figures = ({ costUsd, runs, input, output, cacheCreation, cacheRead }: UsageSum): Figures => ({
  costUsd,
  tokens: { input, output, cacheCreation, cacheRead },
  runs,
})

type Figures = Pick<UsageRow, 'costUsd' | 'tokens' | 'runs'>

export function addTo(row: Figures, sum: UsageSum): void {
  const { costUsd, tokens, runs } = figures(sum)
  row.costUsd += costUsd
  row.runs += runs
  for (const kind of ['input', 'output', 'cacheCreation', 'cacheRead'] as const) row.tokens[kind] += tokens[kind]
}

/** Rounds to 1e-12 USD. Smaller digits are errors of the additions. */
export const rounded = <Sum extends Figures>(sum: Sum): Sum => ({
  ...sum,
  costUsd: Math.round(sum.costUsd * 1e12) / 1e12,
})

function newestThenDearest(one: UsageRow, other: UsageRow): number {
  const [day, otherDay] = [one.day ?? '', other.day ?? '']
  return day === otherDay ? other.costUsd - one.costUsd : day < otherDay ? 1 : -1
}
