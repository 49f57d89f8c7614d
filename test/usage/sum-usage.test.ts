import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDayOf } from '../../daemon/usage/day-of.ts'
import { createUsageSums, quarterMs } from '../../daemon/usage/sum-usage.ts'
import type { UsageSum } from '../../daemon/store/store.ts'

const at = (text: string) => Date.parse(text)
const used = (names: Partial<UsageSum>, costUsd = 1): UsageSum => ({
  ...names,
  costUsd,
  input: 1,
  output: 2,
  cacheCreation: 3,
  cacheRead: 4,
  runs: 1,
})
const quarterAt = (text: string) => Math.floor(at(text) / quarterMs)

test('a day begins at midnight of its time zone, also on days when clocks change', () => {
  const berlin = createDayOf('Europe/Berlin')
  expect(berlin(at('2026-03-28T22:59:59Z'))).toBe('2026-03-28')
  expect(berlin(at('2026-03-28T23:00:00Z'))).toBe('2026-03-29')
  // 23 hours long: the day after begins at 22:00 UTC.
  expect(berlin(at('2026-03-29T21:59:59Z'))).toBe('2026-03-29')
  expect(berlin(at('2026-03-29T22:00:00Z'))).toBe('2026-03-30')
  // 25 hours long.
  expect(berlin(at('2026-10-24T22:00:00Z'))).toBe('2026-10-25')
  expect(berlin(at('2026-10-25T22:59:59Z'))).toBe('2026-10-25')
  expect(berlin(at('2026-10-25T23:00:00Z'))).toBe('2026-10-26')
  expect(createDayOf('Asia/Kathmandu')(at('2026-01-01T18:15:00Z'))).toBe('2026-01-02')
  expect(() => createDayOf('Mars/Olympus')).toThrow(RangeError)
})

test('a quarter of an hour lies within one day in every time zone', () => {
  const time = fc.integer({ min: at('2000-01-01'), max: at('2040-01-01') })
  fc.assert(
    fc.property(fc.constantFrom(...Intl.supportedValuesOf('timeZone')), time, (timeZone, when) => {
      const dayOf = createDayOf(timeZone)
      const begin = Math.floor(when / quarterMs) * quarterMs
      expect(dayOf(begin + quarterMs - 1)).toBe(dayOf(begin))
    }),
    { numRuns: 300 },
  )
})

test('quarters are summed into days, newest first, and within a day by descending cost', () => {
  const sums = createUsageSums(['day', 'model'], createDayOf('Europe/Berlin'))
  sums.add([
    used({ quarter: quarterAt('2026-03-28T23:00:00Z'), model: 'opus' }),
    used({ quarter: quarterAt('2026-03-28T22:45:00Z'), model: 'opus' }, 8),
  ])
  sums.add([
    used({ quarter: quarterAt('2026-03-29T12:00:00Z'), model: 'opus' }, 2),
    used({ quarter: quarterAt('2026-03-29T12:00:00Z'), model: '' }, 4),
  ])
  const one = { input: 1, output: 2, cacheCreation: 3, cacheRead: 4 }
  const two = { input: 2, output: 4, cacheCreation: 6, cacheRead: 8 }
  expect(sums.rows()).toEqual([
    { day: '2026-03-29', model: null, costUsd: 4, tokens: one, runs: 1 },
    { day: '2026-03-29', model: 'opus', costUsd: 3, tokens: two, runs: 2 },
    { day: '2026-03-28', model: 'opus', costUsd: 8, tokens: one, runs: 1 },
  ])
  expect(sums.size).toBe(3)
})

test('rows have only the requested groups', () => {
  const rowsBy = (by: Parameters<typeof createUsageSums>[0], sum: Partial<UsageSum>) => {
    const sums = createUsageSums(by, createDayOf('UTC'))
    sums.add([used(sum), used(sum)])
    return sums.rows().map(({ costUsd: _cost, tokens: _tokens, runs: _runs, ...names }) => names)
  }
  expect(rowsBy(['session', 'run'], { session: 's_1', run: '' })).toEqual([{ session: 's_1', run: null }])
  expect(rowsBy(['run'], { run: 'r_1' })).toEqual([{ run: 'r_1' }])
  expect(rowsBy(['day'], { quarter: 0 })).toEqual([{ day: '1970-01-01' }])
})
