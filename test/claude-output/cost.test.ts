import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTranslator, type TranslatorOptions } from './support/translator.ts'
import type { EventBody } from '../../protocol/index.ts'
import { ofType, readRecording, recordings, replay } from './support/replay.ts'

type Cost = Extract<EventBody, { type: 'cost' }>

/** Returns the counters of models as in `modelUsage`: cost and output tokens, here in a fixed proportion. */
const models = (usd: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(usd).map(([name, costUSD]) => [name, { costUSD, outputTokens: Math.round(costUSD * 1_000) }]),
  )
const sum = (usd: Record<string, number>) => Object.values(usd).reduce((total, each) => total + each, 0)

/** Returns a result with the counters `total`, of which `since` was used since the result before. */
const result = (total: Record<string, number>, since?: Record<string, number>) => ({
  type: 'result',
  subtype: 'success',
  result: '',
  total_cost_usd: sum(total),
  usage: { output_tokens: 1 },
  modelUsage: models(total),
  ...(since && { model_usage_since_last_result: models(since) }),
})
const reset = { type: 'conversation_reset', trigger: 'clear' }

/** Returns the cost events of processes, given as lists of frames. Each continues from the end of the one before. */
function costsOf(processes: object[][], options: TranslatorOptions = {}): Cost[] {
  let state = { resumed: false, ...options }
  return processes.flatMap(frames => {
    const translator = createTranslator(state)
    const costs = frames.flatMap((frame, at) => ofType(translator.frame(frame, at), 'cost'))
    state = { costUsd: translator.costUsd, counterUsd: translator.counterUsd, resumed: true }
    return costs
  })
}

const figures = (costs: Cost[]) => costs.map(({ costUsd, runCostUsd }) => [costUsd, runCostUsd])
const share = (costUsd: number) => ({
  costUsd,
  tokens: { input: 0, output: Math.round(costUsd * 1_000), cacheCreation: 0, cacheRead: 0 },
})

describe('a run cost from model_usage_since_last_result', () => {
  test('adds up over three resumed processes to the last cumulative total', () => {
    const costs = costsOf([
      [result({ opus: 0.5 }, { opus: 0.5 })],
      [result({ opus: 0.75 }, { opus: 0.25 })],
      [result({ opus: 1.75, haiku: 0.25 }, { opus: 1, haiku: 0.25 })],
    ])
    expect(figures(costs)).toEqual([
      [0.5, 0.5],
      [0.75, 0.25],
      [2, 1.25],
    ])
    expect(costs.map(({ runModels }) => runModels)).toEqual([
      { opus: share(0.5) },
      { opus: share(0.25) },
      { opus: share(1), haiku: share(0.25) },
    ])
  })

  test('is complete after a killed process, although the counter falls back', () => {
    expect(figures(costsOf([[result({ opus: 0.5 }, { opus: 0.5 })], [result({ opus: 0.5 }, { opus: 0.5 })]]))).toEqual([
      [0.5, 0.5],
      [1, 0.5],
    ])
    const grown = [
      [result({ opus: 0.25 }, { opus: 0.25 })],
      [result({ opus: 1 }, { opus: 1 }), result({ opus: 1.5 }, { opus: 0.5 })],
    ]
    expect(figures(costsOf(grown))).toEqual([
      [0.25, 0.25],
      [1.25, 1],
      [1.75, 0.5],
    ])
  })

  test('excludes the cost of the source in a fork', () => {
    const fork = [[result({ opus: 5.25 }, { opus: 0.25 }), result({ opus: 5.75 }, { opus: 0.5 })]]
    expect(figures(costsOf(fork, { resumed: true }))).toEqual([
      [0.25, 0.25],
      [0.75, 0.5],
    ])
  })

  test('continues after a reset of the conversation', () => {
    const frames = [result({ opus: 0.5 }, { opus: 0.5 }), reset, result({}, {}), result({ opus: 0.25 }, { opus: 0.25 })]
    expect(figures(costsOf([frames]))).toEqual([
      [0.5, 0.5],
      [0.5, 0],
      [0.75, 0.25],
    ])
  })
})

describe('a run cost from cumulative counters alone', () => {
  test('is their difference, also by model, in the first process', () => {
    const costs = costsOf([[result({ opus: 0.5 }), result({ opus: 0.5, haiku: 0.25 }), reset, result({ haiku: 0.5 })]])
    expect(costs.map(({ runCostUsd, runModels }) => [runCostUsd, runModels])).toEqual([
      [0.5, { opus: share(0.5) }],
      [0.25, { haiku: share(0.25) }],
      [0.5, { haiku: share(0.5) }],
    ])
  })

  test('is known by model after a resume only if there is one model', () => {
    const tokens = { input: 0, output: 1, cacheCreation: 0, cacheRead: 0 }
    const [, alone] = costsOf([[result({ opus: 0.5 })], [result({ opus: 0.75 })]])
    expect(alone).toMatchObject({ runCostUsd: 0.25, runModels: { opus: { costUsd: 0.25, tokens } } })
    const [, first, second] = costsOf([
      [result({ opus: 0.5, haiku: 0.5 })],
      [result({ opus: 0.75, haiku: 0.5 }), result({ opus: 0.75, haiku: 1 })],
    ])
    expect(first).toMatchObject({ runCostUsd: 0.25 })
    expect(first).not.toHaveProperty('runModels')
    expect(second).toMatchObject({ runCostUsd: 0.5, runModels: { haiku: share(0.5) } })
  })
})

test('run costs always add up to the total, and costs by model to the run cost', () => {
  const amount = fc.integer({ min: 0, max: 64 }).map(eighths => eighths / 8)
  const usage = fc.dictionary(fc.constantFrom('opus', 'haiku', 'sonnet'), amount, { noNullPrototype: true })
  const frame = fc.oneof(
    fc.constant(reset),
    fc.tuple(usage, fc.option(usage, { nil: undefined })).map(each => result(...each)),
  )
  fc.assert(
    fc.property(fc.array(fc.array(frame, { maxLength: 6 }), { maxLength: 4 }), processes => {
      const costs = costsOf(processes)
      let total = 0
      for (const { costUsd, runCostUsd, runModels } of costs) {
        expect(runCostUsd).toBeGreaterThanOrEqual(0)
        expect(costUsd).toBeCloseTo((total += runCostUsd), 9)
        if (runModels) expect(sum(costOf(runModels))).toBeCloseTo(runCostUsd, 9)
      }
    }),
  )
})

const costOf = (shares: NonNullable<Cost['runModels']>) =>
  Object.fromEntries(Object.entries(shares).map(([name, { costUsd }]) => [name, costUsd]))

test.each(recordings)(
  'the run costs of recording %s add up to its counters, and costs by model to the run cost',
  name => {
    const { events, frames } = replay([readRecording(name)])
    const costs = ofType(events, 'cost')
    const counters = frames.filter(isResult).map(frame => frame.total_cost_usd)
    // A reset conversation counts from zero again.
    const counted = counters.reduce(
      (sum_, counter, at) => sum_ + (counter < (counters[at - 1] ?? 0) ? 0 : counter - (counters[at - 1] ?? 0)),
      0,
    )
    expect(costs.at(-1)?.costUsd ?? 0).toBeCloseTo(counted, 9)
    for (const { runCostUsd, runModels } of costs) expect(sum(costOf(runModels!))).toBeCloseTo(runCostUsd, 9)
  },
)

const isResult = (frame: unknown): frame is { total_cost_usd: number } => (frame as { type?: string }).type === 'result'
