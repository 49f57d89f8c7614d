import { expect, it } from 'vitest'
import { widthOf } from '../../client/cli/screen/text.ts'
import { usageLines } from '../../client/cli/render/usage.ts'
import type { Usage } from '../../protocol/index.ts'

const tokens = { input: 812, output: 104_212, cacheCreation: 1_234_567, cacheRead: 98_765_432 }

const used: Usage = {
  rows: [
    { day: '2026-11-21', model: 'claude-opus-5-5', costUsd: 12.3456, tokens, runs: 12 },
    { day: '2026-11-21', model: 'claude-haiku-5-5', costUsd: 0.0432, tokens: { ...tokens, input: 9_999 }, runs: 3 },
    {
      day: '2026-11-20',
      model: null,
      costUsd: 1.5,
      tokens: { input: 0, output: 7, cacheCreation: 0, cacheRead: 0 },
      runs: 1,
    },
  ],
  more: 0,
  total: { costUsd: 13.8888, tokens: { ...tokens, cacheRead: 2.5e10 }, runs: 14 },
  timeZone: 'UTC',
}

it('usage is a table with right-aligned numbers, each day once, and a total', () => {
  expect(usageLines(used, ['day', 'model'], 80)).toEqual([
    'DAY         MODEL             RUNS     COST  INPUT  OUTPUT  TO CACHE  CACHED',
    '2026-11-21  claude-opus-5-5     12   $12.35    812    104k      1.2M   98.8M',
    '            claude-haiku-5-5     3  $0.0432  9,999    104k      1.2M   98.8M',
    '2026-11-20  (unknown)            1    $1.50      0       7         0       0',
    'total                           14   $13.89    812    104k      1.2M   25.0G',
  ])
})

it('usage fits 80 columns and prints no control characters, whatever the model name', () => {
  const model = 'a-model\u001b[2J-with-a-name-of-its-maker-and-a-date-20261121'
  const lines = usageLines({ ...used, rows: used.rows.map(row => ({ ...row, model })) }, ['day', 'model'], 80)
  for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(80)
  expect(lines[1]).toMatch(/^2026-11-21 {2}a-model\[2J-with-a\S+… +12 +\$12\.35 /)
})

it('usage counts omitted rows before the total, and says when nothing was used', () => {
  expect(usageLines({ ...used, more: 1_234 }, ['day', 'model'], 80).at(-2)).toBe('and 1,234 more')
  const nothing = { costUsd: 0, tokens: { input: 0, output: 0, cacheCreation: 0, cacheRead: 0 }, runs: 0 }
  expect(usageLines({ rows: [], more: 0, total: nothing, timeZone: 'UTC' }, ['day'], 80)).toEqual(['nothing was used'])
})
