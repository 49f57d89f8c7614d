import { expect, it } from 'vitest'
import { holdsLimits, type ProcessLimits, withLimits } from '../../daemon/agents/claude/launch/process-limits.ts'

it('withLimits takes the stricter of two limits', () => {
  const options = { model: 'm', maxTurns: 3, maxBudgetUsd: 2 }
  expect(withLimits(options, { maxTurns: 5, maxBudgetUsd: 1 })).toEqual({ model: 'm', maxTurns: 3, maxBudgetUsd: 1 })
  expect(withLimits({ model: 'm' }, { maxTurns: 5 })).toEqual({ model: 'm', maxTurns: 5 })
  expect(withLimits(options)).toEqual(options)
})

it.each<[ProcessLimits, ProcessLimits, boolean]>([
  [{}, {}, true],
  [{ maxTurns: 2 }, { maxTurns: 2 }, true],
  [{}, { maxTurns: 2 }, false],
  [{ maxTurns: 2 }, {}, false],
  [{ maxTurns: 2 }, { maxTurns: 3 }, false],
  [{ maxBudgetUsd: 1 }, { maxBudgetUsd: 1 }, false],
  [{ maxBudgetUsd: 1 }, {}, false],
  [{}, { maxBudgetUsd: 1 }, false],
])('a process started with %j can serve a run with %j: %s', (process, run, expected) => {
  expect(holdsLimits(process, run)).toBe(expected)
})
