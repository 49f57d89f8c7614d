import { expect, test } from 'vitest'
import { gcLines } from '../../client/cli/render/gc.ts'
import type { GcResult } from '../../protocol/index.ts'

const result: GcResult = {
  dryRun: true,
  sessions: [
    { session: 's_1', reason: 'age', bytes: 1_234, events: 12_000 },
    { session: 's_2', reason: 'size', bytes: 5 * 1024 ** 3, events: 1 },
  ],
  rawLogs: [{ process: 'p_3', session: 's_3', reason: 'size', bytes: 2_048 }],
  more: { sessions: 7, rawLogs: 1 },
  freedBytes: 6 * 1024 ** 3,
}

test('a dry run of gc is printed as a table with reasons, the number of omitted rows and the sum', () => {
  expect(gcLines(result, Infinity)).toEqual([
    'ACTION  SESSION  SIZE     WHAT',
    'delete  s_1      1.2 KiB  12,000 events, unused for too long',
    'delete  s_2      5.0 GiB  1 events, all together too large',
    'drop    s_3      2.0 KiB  raw log of p_3, all together too large',
    'and 8 more',
    '6.0 GiB would be freed',
  ])
})

test('gc prints what it has freed, or that there was nothing to delete', () => {
  expect(gcLines({ ...result, dryRun: false }, Infinity).at(-1)).toBe('6.0 GiB freed')
  const nothing = { sessions: [], rawLogs: [], more: { sessions: 0, rawLogs: 0 }, freedBytes: 0 }
  expect(gcLines({ ...nothing, dryRun: false }, 80)).toEqual(['nothing had to go'])
  expect(gcLines({ ...nothing, dryRun: true }, 80)).toEqual(['nothing would go'])
})
