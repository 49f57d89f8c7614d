import { setImmediate as othersTurn } from 'node:timers/promises'
import type { Usage, UsageGroup, UsageQuery } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import type { UsageSum, UsageTable } from '../store/store.ts'
import { createDayOf } from './day-of.ts'
import { addTo, createUsageSums, figures, quarterMs, rounded } from './sum-usage.ts'

/** A whole number of quarters, so that no quarter is split between two slices. */
const sliceMs = 24 * 4 * quarterMs

export const usageHandlers = (
  table: Pick<UsageTable, 'sums' | 'bounds'>,
  whenPublished: () => Promise<void>,
): Pick<Handlers, 'usage'> => ({
  usage: {
    async get(query, { signal }) {
      // The cost of a run whose end waits for a sync is stored, but not published yet.
      await whenPublished()
      return getUsage(table, query, signal)
    },
  },
})

/**
 * Sums one day at a time, with a turn of the event loop for other work between two days: a day of a thousand runs takes
 * about five milliseconds.
 */
async function getUsage(
  table: Pick<UsageTable, 'sums' | 'bounds'>,
  { from = 0, to = Infinity, session, by = ['day', 'model'], timeZone = ownTimeZone(), limit }: UsageQuery,
  signal: AbortSignal,
): Promise<Usage> {
  const rows = createUsageSums(by, knownDayOf(timeZone))
  const total = figures(nothing)
  const groups = by.map(group => (group === 'day' ? 'quarter' : group))
  for (const slice of slicesOf(table, from, to)) {
    const filter = { ...slice, ...(session !== undefined && { session }) }
    rows.add(table.sums({ ...filter, by: groups }))
    for (const sum of table.sums({ ...filter, by: [] })) addTo(total, sum)
    if (rows.size > limits.maxUsageGroups) throw tooMany(by)
    await othersTurn()
    signal.throwIfAborted()
  }
  const all = rows.rows()
  const shown = all.slice(0, limit ?? limits.defaultPageSize)
  return { rows: shown, more: all.length - shown.length, total: rounded(total), timeZone }
}

const nothing: UsageSum = { costUsd: 0, runs: 0, input: 0, output: 0, cacheCreation: 0, cacheRead: 0 }

function* slicesOf(table: Pick<UsageTable, 'bounds'>, from: number, to: number) {
  const bounds = table.bounds()
  if (!bounds) return
  const end = Math.min(to, bounds.last + 1)
  for (let start = Math.max(from, bounds.first); start < end; ) {
    const next = Math.min(end, (Math.floor(start / sliceMs) + 1) * sliceMs)
    yield { from: start, to: next }
    start = next
  }
}

const ownTimeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

function knownDayOf(timeZone: string) {
  try {
    return createDayOf(timeZone)
  } catch (error) {
    throw new RpcError(
      'invalid_params',
      `timeZone: ${timeZone} is no time zone that is known here`,
      { path: '/timeZone', expected: 'an IANA name such as Europe/Berlin' },
      { cause: error },
    )
  }
}

const tooMany = (by: readonly UsageGroup[]) =>
  new RpcError(
    'limit',
    `by ${by.join(' and ')} there are more than ${limits.maxUsageGroups} rows to add up: ask for less time`,
    { limit: 'maxUsageGroups', value: limits.maxUsageGroups },
  )
