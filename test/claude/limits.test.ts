import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Event, FailureCode, RunLimits } from '../../client/sdk/index.ts'
import { message, text, tool } from '../support/messages-api/index.ts'
import { startSuite, type Suite } from './support/suite.ts'
import { one, ofType, play, watch } from './support/watch.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
  // Makes as many requests as its argument says. Each but the last uses a tool.
  suite.api.script('rounds', ({ toolResults, argument }) =>
    toolResults.length + 1 >= Number(argument)
      ? message([text(`That were ${argument} rounds.`)])
      : message([text('Once more.'), tool('Bash', { command: 'echo again', description: 'Again' })]),
  )
})
afterAll(() => suite.close())

const processOf = async (session: string) => (await suite.mux.api.session.get({ session })).process
const requests = (scenario: string, argument: string) =>
  suite.api.requests.filter(each => each.scenario === scenario && each.argument === argument).length
const codeOf = (events: Event[]): FailureCode => one(events, 'failed').failure.code

/** Returns a session with a live process, so that its start uses up nothing of a short limit. */
async function warmSession() {
  const first = await suite.mux.run({ prompt: 'scn:text:first', cwd: suite.cwd, options: { allowedTools: ['Bash'] } })
  await first.result()
  return first.session
}
const limited = (session: string, prompt: string, limits: RunLimits) => play(suite.mux, { session, prompt, limits })

// Each test starts Claude Code several times, which is slow on a busy machine.
const patient = { timeout: 90_000 }

describe('a run beyond its limit', () => {
  test.each<[string, string, RunLimits, FailureCode]>([
    ['of time, in its text', 'scn:endless', { timeoutMs: 1_500 }, 'timed_out'],
    ['of time, before an answer', 'scn:silent', { timeoutMs: 1_500, inactivityMs: 60_000 }, 'timed_out'],
    ['of silence, where the API answers nothing', 'scn:silent', { inactivityMs: 1_500 }, 'inactive'],
    ['of silence, in a tool', 'scn:long-tool:limited', { inactivityMs: 2_500 }, 'inactive'],
  ])('%s, fails by its limit, and its process stays', async (_title, prompt, limits, code) => {
    const session = await warmSession()
    const process = await processOf(session)
    const events = await limited(session, prompt, limits)
    expect(codeOf(events)).toBe(code)
    expect(ofType(events, 'limit_reached')).toHaveLength(1)
    expect(ofType(events, 'cancel_escalated')).toEqual([])
    const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
    expect(one(next, 'done').response).toContain('afterwards')
    expect(await processOf(session)).toEqual(process)
  })

  test('of silence is not ended while text is streamed', async () => {
    const session = await warmSession()
    const watched = watch(await suite.mux.run({ session, prompt: 'scn:endless', limits: { inactivityMs: 1_500 } }))
    const { time } = await watched.until('assistant_text')
    await watched.until('assistant_text', event => event.time > time + 3_000)
    await watched.run.cancel()
    expect(one(await watched.ended(), 'cancelled')).toMatchObject({ mode: 'interrupt', ended: 'turn' })
  })
})

test('maxTurns bounds exactly the run that has it, also in a session with a live process', patient, async () => {
  const session = await warmSession()
  const process = await processOf(session)
  const events = await limited(session, 'scn:rounds:9', { maxTurns: 2 })
  expect(codeOf(events)).toBe('max_turns')
  expect(requests('rounds', '9')).toBe(2)
  expect(await processOf(session)).not.toEqual(process)
  const own = await processOf(session)
  expect(one(await limited(session, 'scn:rounds:2', { maxTurns: 2 }), 'done').response).toContain('2 rounds')
  expect(await processOf(session)).toEqual(own)
  const free = await play(suite.mux, { session, prompt: 'scn:rounds:4' })
  expect(one(free, 'done').response).toContain('4 rounds')
})

test('maxBudgetUsd applies to its run alone, whatever the session has cost before', patient, async () => {
  const session = await warmSession()
  await play(suite.mux, { session, prompt: 'scn:rounds:3' })
  const { costUsd } = await suite.mux.api.session.get({ session })
  const request = costUsd / 4
  // The budget is enough for two and a half requests: the third one exceeds it, the fourth is not made.
  const events = await limited(session, 'scn:rounds:8', { maxBudgetUsd: 2.5 * request })
  expect(codeOf(events)).toBe('max_budget')
  expect(requests('rounds', '8')).toBe(3)
  expect(one(events, 'cost').runCostUsd).toBeCloseTo(3 * request, 6)
  const again = await limited(session, 'scn:rounds:2', { maxBudgetUsd: 2.5 * request })
  expect(one(again, 'done').response).toContain('2 rounds')
  const free = await play(suite.mux, { session, prompt: 'scn:rounds:5' })
  expect(one(free, 'done').response).toContain('5 rounds')
  const total = await suite.mux.api.session.get({ session })
  expect(total.costUsd).toBeCloseTo(14 * request, 6)
})

test('a cancelled event says whether the turn or the process was ended', async () => {
  const session = await warmSession()
  const pid = (await processOf(session))!.pid
  const watched = watch(await suite.mux.run({ session, prompt: 'scn:endless' }))
  await watched.until('assistant_text')
  await watched.run.cancel()
  expect(one(await watched.ended(), 'cancelled')).toMatchObject({ mode: 'interrupt', ended: 'turn' })
  expect((await processOf(session))!.pid).toBe(pid)
  const killed = watch(await suite.mux.run({ session, prompt: 'scn:endless' }))
  await killed.until('assistant_text')
  await killed.run.cancel(undefined, { mode: 'kill' })
  expect(one(await killed.ended(), 'cancelled')).toMatchObject({ mode: 'kill', ended: 'process' })
})
