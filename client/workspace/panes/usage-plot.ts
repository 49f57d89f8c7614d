import type { UsageRow } from '../../sdk/browser.ts'

/** The data of the cost plot: one bar per day, with one part per model. */
export interface UsagePlot {
  days: { day: string; costUsd: number; parts: { model: string; costUsd: number; from: number; to: number }[] }[]
  /** Costliest first. If there are more than six, all but the first five are summed as `others`, which comes last. */
  models: string[]
  /** The upper end of the scale, a round number. */
  top: number
}

export const others = 'others'
const maxModels = 5

/** Plots the rows of `usage.get` by day and model. Each of `days` gets a bar, also a day without rows. */
export function plotUsage(rows: readonly UsageRow[], days: readonly string[]): UsagePlot {
  const totals = new Map<string, number>()
  for (const row of rows) totals.set(nameOf(row), (totals.get(nameOf(row)) ?? 0) + row.costUsd)
  const ranked = [...totals].sort((a, b) => b[1] - a[1]).map(([model]) => model)
  const named = ranked.slice(0, ranked.length > maxModels + 1 ? maxModels : ranked.length)
  const models = named.length < ranked.length ? [...named, others] : named

  const byDay = new Map<string, Map<string, number>>()
  for (const row of rows) {
    const ofDay = byDay.get(row.day ?? '') ?? new Map<string, number>()
    const model = named.includes(nameOf(row)) ? nameOf(row) : others
    ofDay.set(model, (ofDay.get(model) ?? 0) + row.costUsd)
    byDay.set(row.day ?? '', ofDay)
  }
  const bars = days.map(day => {
    let from = 0
    const parts = models.flatMap(model => {
      const costUsd = byDay.get(day)?.get(model) ?? 0
      if (!costUsd) return []
      const part = { model, costUsd, from, to: from + costUsd }
      from += costUsd
      return [part]
    })
    return { day, costUsd: from, parts }
  })
  return { days: bars, models, top: roundUp(Math.max(0, ...bars.map(({ costUsd }) => costUsd))) }
}

export const nameOf = ({ model }: UsageRow): string => model ?? 'not told'

/** Rounds up to 1, 2 or 5 times a power of ten. Returns 1 for 0 and less. */
function roundUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find(factor => factor * power >= value * 0.999_999)!
  return step * power
}

/** Returns the last `count` days, today included, as `YYYY-MM-DD` in the time zone of this window. */
export function lastDays(count: number, now: number): string[] {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const noon = new Date(now)
  noon.setHours(12, 0, 0, 0)
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(noon)
    day.setDate(day.getDate() - (count - 1 - index))
    return format.format(day)
  })
}
