import { describe, expect, it } from 'vitest'
import { startEscalation, type Step } from '../../daemon/sessions/escalation.ts'
import { until } from '../support/until.ts'

const steps = (taken: string[]): [Step, ...Step[]] => [
  { name: 'ask', act: () => void taken.push('ask') },
  { name: 'insist', act: () => void taken.push('insist') },
  { name: 'force', act: () => void taken.push('force') },
]

describe('an escalation', () => {
  it('takes each step only when the one before had no effect in time, and repeats the last', async () => {
    const taken: string[] = []
    const escalation = startEscalation(steps(taken), 5)
    await until(() => expect(taken.slice(0, 5)).toEqual(['ask', 'insist', 'force', 'force', 'force']))
    escalation.stop()
  })

  it('takes no further step once it is stopped, not even the one that is due', async () => {
    const taken: string[] = []
    startEscalation(steps(taken), 60_000).stop()
    await new Promise(setImmediate)
    expect(taken).toEqual([])
  })

  it('begins at the given step', async () => {
    const taken: string[] = []
    const escalation = startEscalation(steps(taken), 60_000, 'force')
    await until(() => expect(taken).toEqual(['force']))
    escalation.stop()
  })

  it('can skip to a later step, but never goes back', async () => {
    const taken: string[] = []
    const escalation = startEscalation(steps(taken), 60_000)
    escalation.hasten('force')
    escalation.hasten('insist')
    await until(() => expect(taken).toEqual(['ask', 'force']))
    escalation.stop()
  })

  it('continues after a failed step', async () => {
    const taken: string[] = []
    const failing: Step = { name: 'fail', act: () => Promise.reject(new Error('no such process')) }
    const escalation = startEscalation([failing, ...steps(taken)], 5)
    await until(() => expect(taken).toContain('ask'))
    escalation.stop()
  })
})
