import { describe, expect, it } from 'vitest'
import type { RunLimits } from '../../../protocol/index.ts'
import { createMachine } from '../../../daemon/sessions/machine/machine.ts'
import { limitOf } from '../../../daemon/sessions/machine/decide/pursue.ts'
import { newLiveProcess } from '../../../daemon/sessions/machine/volatile.ts'
import { approval } from '../../support/records.ts'
import { foldedSession } from '../../support/folded-session.ts'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import { config } from './support/world.ts'

interface Facts {
  limits?: RunLimits
  printedAt?: number
  answeredAt?: number
  isAsking?: boolean
  sleeps?: { from: number; to: number }[]
}

/** A run that started at 10 s, whose process has its prompt. */
function limitWith({ limits = { timeoutMs: 1_000, inactivityMs: 300 }, ...facts }: Facts) {
  const { state, act } = foldedSession()
  const by = { client: 'c_1', name: 'test' }
  act({ act: 'queued', run: 'r_1', promptUuid: 'uuid', prompt: 'x', limits, by }, 10_000)
  act({ act: 'started', run: 'r_1' }, 10_000)
  const m = createMachine(claude, state, config, 'life')
  m.v.process = { ...newLiveProcess('p_1', 'live'), pid: 1, sent: new Set(['uuid']), printedAt: facts.printedAt ?? 0 }
  if (facts.answeredAt) state.active!.answeredAt = facts.answeredAt
  if (facts.isAsking) state.open = [approval('a_1', 's_1')]
  m.v.sleeps = facts.sleeps ?? []
  const found = limitOf(m)
  return found && { limit: found.reached.limit, at: found.at }
}

describe('the next limit of a run', () => {
  it.each<[string, Facts, string, number]>([
    ['counts silence from its start', {}, 'inactivityMs', 10_300],
    ['counts silence from the last output', { printedAt: 10_200 }, 'inactivityMs', 10_500],
    ['ignores output before its start', { printedAt: 9_000 }, 'inactivityMs', 10_300],
    ['is the timeout if that comes first', { printedAt: 10_900 }, 'timeoutMs', 11_000],
    ['is the timeout while an approval is pending', { isAsking: true }, 'timeoutMs', 11_000],
    ['is the only limit given', { limits: { timeoutMs: 5 } }, 'timeoutMs', 10_005],
    ['counts silence from the answer to an approval', { answeredAt: 10_600 }, 'inactivityMs', 10_900],
  ])('%s', (_title, facts, limit, at) => {
    expect(limitWith(facts)).toEqual({ limit, at })
  })

  it('excludes sleep of the computer from the inactivity, but not from the timeout', () => {
    const sleeps = [{ from: 10_100, to: 15_100 }]
    expect(limitWith({ limits: { inactivityMs: 300 }, sleeps })).toMatchObject({ at: 15_300 })
    expect(limitWith({ limits: { timeoutMs: 1_000 }, sleeps })).toMatchObject({ at: 11_000 })
  })

  it('is undefined without limits, and with inactivityMs alone while an approval is pending', () => {
    expect(limitWith({ limits: {} })).toBeUndefined()
    expect(limitWith({ limits: { inactivityMs: 1 }, isAsking: true })).toBeUndefined()
  })
})
