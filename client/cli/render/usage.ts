import type { Tokens, Usage, UsageGroup, UsageRow } from '../../sdk/index.ts'
import { count, table, usd } from './format.ts'
import { oneLine } from '../screen/text.ts'

/** Renders usage, one line for each row and the sum. A day is shown only where it changes. */
export function usageLines({ rows, more, total }: Usage, by: readonly UsageGroup[], columns: number): string[] {
  if (total.runs === 0 && total.costUsd === 0) return ['nothing was used']
  const names = rows.map(row => by.map(group => nameOf(row, group)))
  const shown = names.map((own, at) =>
    own.map((name, column) => (by[column] === 'day' && names[at - 1]?.[column] === name ? '' : name)),
  )
  const heading = [...by.map(group => group.toUpperCase()), ...figureNames]
  const body = rows.map((row, at) => [...shown[at]!, ...figuresOf(row)])
  const sum = ['total', ...by.slice(1).map(() => ''), ...figuresOf(total)]
  const numbers = figureNames.map((_, at) => by.length + at)
  const lines = table(heading, [...body, sum], columns, Math.max(0, by.indexOf('model')), { numbers })
  return [...lines.slice(0, -1), ...(more > 0 ? [`and ${count(more)} more`] : []), lines.at(-1)!]
}

const figureNames = ['RUNS', 'COST', 'INPUT', 'OUTPUT', 'TO CACHE', 'CACHED']

const figuresOf = ({ runs, costUsd, tokens }: { runs: number; costUsd: number; tokens: Tokens }): string[] => [
  count(runs),
  usd(costUsd),
  ...[tokens.input, tokens.output, tokens.cacheCreation, tokens.cacheRead].map(short),
]

const nameOf = (row: UsageRow, group: UsageGroup): string => oneLine(row[group] ?? missing[group])

const missing: Record<UsageGroup, string> = { day: '', model: '(unknown)', session: '', run: '(between runs)' }

/** Renders a number of tokens in at most six characters. */
function short(amount: number): string {
  if (amount < 9_999.5) return count(Math.round(amount))
  const [size, unit] = units.find(([most]) => amount < most * 999.95) ?? units.at(-1)!
  const scaled = amount / size
  return `${scaled < 99.95 ? scaled.toFixed(1) : count(Math.round(scaled))}${unit}`
}

const units: [number, string][] = [
  [1e3, 'k'],
  [1e6, 'M'],
  [1e9, 'G'],
]
