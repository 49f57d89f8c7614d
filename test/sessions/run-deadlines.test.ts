import { describe, expect, it, onTestFinished } from 'vitest'
import { createRunDeadlines, nextDeadline, type Watched } from '../../daemon/sessions/run-deadlines.ts'
import { until } from '../support/until.ts'

const watched = (fields: Partial<Watched> = {}): Watched => ({
  limits: { timeoutMs: 1_000, inactivityMs: 300 },
  startedAt: 10_000,
  printedAt: undefined,
  waiting: false,
  ...fields,
})

describe('the deadline of a run', () => {
  it.each<[string, Partial<Watched>, string, number]>([
    ['counts silence from its start', {}, 'inactivityMs', 10_300],
    ['counts silence from the last output', { printedAt: 10_200 }, 'inactivityMs', 10_500],
    ['ignores output before its start', { printedAt: 9_000 }, 'inactivityMs', 10_300],
    ['is the timeout if that comes first', { printedAt: 10_900 }, 'timeoutMs', 11_000],
    ['is the timeout while an approval is pending', { waiting: true }, 'timeoutMs', 11_000],
    ['is the only limit given', { limits: { timeoutMs: 5 } }, 'timeoutMs', 10_005],
  ])('%s', (_title, fields, limit, at) => {
    expect(nextDeadline(watched(fields))).toMatchObject({ limit, at })
  })

  it('counts silence from the answer to an approval', () => {
    expect(nextDeadline(watched({ answeredAt: 10_600 }))).toMatchObject({ limit: 'inactivityMs', at: 10_900 })
  })

  it('excludes sleep of the machine from the silence, but not from the timeout', () => {
    const sleptSince = () => 5_000
    expect(nextDeadline(watched({ limits: { inactivityMs: 300 } }), sleptSince)).toMatchObject({ at: 15_300 })
    expect(nextDeadline(watched({ limits: { timeoutMs: 1_000 } }), sleptSince)).toMatchObject({ at: 11_000 })
  })

  it('is undefined without limits, and with inactivityMs alone while an approval is pending', () => {
    expect(nextDeadline(watched({ limits: {} }))).toBeUndefined()
    expect(nextDeadline(watched({ limits: { inactivityMs: 1 }, waiting: true }))).toBeUndefined()
  })
})

describe('the clock of a run', () => {
  const clock = (run: () => Watched | undefined) => {
    const reached: unknown[] = []
    const deadlines = createRunDeadlines(run, limit => void reached.push(limit))
    onTestFinished(() => deadlines.close())
    return { deadlines, reached }
  }

  it('reads the time of the last output at the deadline, and continues if there was new output', async () => {
    const startedAt = Date.now()
    let asked = 0
    const { deadlines, reached } = clock(() => {
      asked += 1
      return { limits: { inactivityMs: 20 }, startedAt, printedAt: asked < 4 ? Date.now() : startedAt, waiting: false }
    })
    deadlines.look()
    await until(() => expect(reached).toEqual([{ limit: 'inactivityMs', value: 20 }]))
    expect(asked).toBe(4)
  })

  it('reports a limit that has already passed at once', () => {
    const { deadlines, reached } = clock(() => watched({ startedAt: 1, limits: { timeoutMs: 7 } }))
    deadlines.look()
    expect(reached).toEqual([{ limit: 'timeoutMs', value: 7 }])
  })

  it('restarts the silence of a run whose approval was answered', async () => {
    let run: Watched = { limits: { inactivityMs: 60_000 }, startedAt: 1, printedAt: undefined, waiting: true }
    const { deadlines, reached } = clock(() => run)
    deadlines.look()
    run = { ...run, waiting: false, answeredAt: Date.now() }
    deadlines.look()
    await new Promise(setImmediate)
    expect(reached).toEqual([])
  })
})
