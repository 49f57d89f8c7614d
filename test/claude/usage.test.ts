import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Event, Usage, UsageGroup } from '../../protocol/index.ts'
import { message, text, tool } from '../support/messages-api/index.ts'
import { until } from '../support/until.ts'
import { testAfter } from './support/newer-than.ts'
import { startSuite, waitOptions, type Suite } from './support/suite.ts'
import { ofType, one, play } from './support/watch.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
  // A sub-agent that uses another model than its session.
  suite.api.script('other-model', ({ toolResults }) =>
    toolResults.length > 0
      ? message([text('The agent reported back.')])
      : message([
          tool('Agent', {
            description: 'Look around',
            prompt: 'scn:text:from-the-agent',
            subagent_type: 'general-purpose',
            model: 'haiku',
            run_in_background: false,
          }),
        ]),
  )
})
afterAll(() => suite.close())

const usage = (session: string, by: UsageGroup[]): Promise<Usage> => suite.mux.api.usage.get({ session, by })
const sessionOf = async (events: Event[]) => (await suite.mux.api.run.get({ run: events[0]!.run! })).session
/** Closes the process, so that the next run resumes the conversation. */
const closeProcess = (session: string) => suite.mux.api.session.close({ session })

interface Counted {
  costUSD: number
  inputTokens: number
  outputTokens: number
}
/** Returns what Claude Code has counted for the conversation at the end of the last run, by model. */
const counted = (events: Event[]) => ofType(events, 'cost').at(-1)!.models as Record<string, Counted>

testAfter('2.1.197', 'it counts one model')(
  'three resumed runs add up to the last count of Claude Code, in total and by model',
  async () => {
    const runs = [await play(suite.mux, { prompt: 'scn:text:one', cwd: suite.cwd })]
    const session = await sessionOf(runs[0]!)
    for (const prompt of ['scn:other-model', 'scn:bash']) {
      await closeProcess(session)
      runs.push(await play(suite.mux, { prompt, session }))
    }
    const models = counted(runs[2]!)
    expect(Object.keys(models)).toHaveLength(2)
    const byModel = await usage(session, ['model'])
    expect(byModel.rows.map(({ model }) => model!).sort()).toEqual(Object.keys(models).sort())
    for (const { model, costUsd, tokens, runs: count } of byModel.rows) {
      const { costUSD, inputTokens, outputTokens } = models[model!]!
      expect(costUsd).toBeCloseTo(costUSD, 9)
      expect(tokens).toMatchObject({ input: inputTokens, output: outputTokens })
      expect(count).toBe(model!.includes('haiku') ? 1 : 3)
    }
    const total = Object.values(models).reduce((sum, { costUSD }) => sum + costUSD, 0)
    expect(one(runs[2]!, 'cost').costUsd).toBeCloseTo(total, 9)
    expect(byModel.total.costUsd).toBeCloseTo(total, 9)
    const byRun = await usage(session, ['run'])
    expect(byRun.rows).toHaveLength(3)
    for (const events of runs) {
      const { runCostUsd } = one(events, 'cost')
      expect(byRun.rows.find(({ run }) => run === events[0]!.run)!.costUsd).toBeCloseTo(runCostUsd, 9)
    }
  },
)

test('a background task with two results counts each of them once', async () => {
  const events = await play(suite.mux, { prompt: 'scn:background', cwd: suite.cwd })
  const session = await sessionOf(events)
  const log = await until(async () => {
    const page = await suite.mux.api.topic.read({ topic: `session/${session}`, after: 0, limit: 1_000 })
    expect(ofType(page.events as Event[], 'cost')).toHaveLength(2)
    return page.events as Event[]
  }, waitOptions)
  const last = Object.values(counted(log))[0]!
  const { rows, total } = await usage(session, ['run'])
  expect(rows).toHaveLength(2)
  expect(total.costUsd).toBeCloseTo(last.costUSD, 9)
  expect(total.tokens.output).toBe(last.outputTokens)
})

test('a run after a killed process is charged in full, although the count of Claude Code starts over', async () => {
  const first = await play(suite.mux, { prompt: 'scn:text:one', cwd: suite.cwd })
  const session = await sessionOf(first)
  const before = one(first, 'cost')
  // Kill it before it can write down what it has counted.
  for (const { pid } of suite.claudes()) process.kill(pid, 'SIGKILL')
  await until(async () => {
    expect((await suite.mux.api.session.get({ session })).process).toBeNull()
  }, waitOptions)
  const next = await play(suite.mux, { prompt: 'scn:text:two', session })
  const after = one(next, 'cost')
  expect(counted(next)).toMatchObject(counted(first))
  expect(after.runCostUsd).toBeCloseTo(before.runCostUsd, 9)
  expect(after.costUsd).toBeCloseTo(2 * before.runCostUsd, 9)
  expect((await usage(session, ['run'])).total.costUsd).toBeCloseTo(2 * before.runCostUsd, 9)
})

test('usage adds up across a /clear', async () => {
  const first = await play(suite.mux, { prompt: 'scn:text:one', cwd: suite.cwd })
  const session = await sessionOf(first)
  const { runCostUsd } = one(first, 'cost')
  await (await suite.mux.run({ prompt: '/clear', session })).result()
  await closeProcess(session)
  await play(suite.mux, { prompt: 'scn:text:two', session })
  const { rows, total } = await usage(session, ['run'])
  expect(rows).toHaveLength(2)
  expect(total.costUsd).toBeCloseTo(2 * runCostUsd, 9)
})
