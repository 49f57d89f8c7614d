import type { EventBody, ModelShare, Tokens } from '../../../../protocol/index.ts'
import { noTokens, sumOfTokens } from '../../../usage/tokens.ts'
import { countOf, isShape, type Shape, shapeOf, usdOf } from '../frame/shape.ts'
import { tokensOf } from './messages.ts'

/**
 * The cost of the conversation. Claude Code's counter is cumulative and continues over `--resume`, but not always from
 * its last value: `/clear` restarts it at zero, a process after a killed one continues from the last process that ended
 * in order, and a fork starts with the cost of its source. `beforeUsd` is the difference between the total and the
 * counter.
 */
export interface CostState {
  totalUsd: number
  beforeUsd: number
  /** The counter of Claude Code at the latest result. */
  counterUsd: number
  /** The counters by model; null while only an earlier process knows them. */
  models: Shares | null
}

/** Shares by name of the model. A map, because any name may occur. */
type Shares = ReadonlyMap<string, ModelShare>

/**
 * Returns the `cost` of a `result`. The share of the run is the usage since the previous result that Claude Code
 * reports. In a version that reports none, it is the difference of the counters, which is wrong if they continue from
 * another value.
 */
export function costEvent(cost: CostState, frame: Shape): Extract<EventBody, { type: 'cost' }> {
  const counterUsd = usdOf(frame['total_cost_usd']) ?? usdOf(frame['cost_usd'])
  const mainTokens = tokensOf(frame['usage'])
  const counted = readShares(frame['modelUsage'])
  const used = readShares(frame['model_usage_since_last_result'])
  const runCostUsd = used ? sumOf(used) : differenceUsd(cost, counterUsd)
  const runModels = used ?? modelShares(cost.models, counted, { costUsd: runCostUsd, tokens: mainTokens })
  if (runCostUsd > 0) count(cost, counterUsd ?? cost.counterUsd + runCostUsd, runCostUsd)
  if (counted) cost.models = counted
  const models = shapeOf(frame['modelUsage'])
  return {
    type: 'cost',
    costUsd: cost.totalUsd,
    runCostUsd,
    tokens: runModels?.size ? tokensOfAll(runModels) : mainTokens,
    ...(models && { models }),
    ...(runModels && { runModels: Object.fromEntries([...runModels].filter(([, share]) => !isNothing(share))) }),
  }
}

/** Restarts the counter at zero, as Claude Code does when the conversation is reset. */
export function restartCounter(cost: CostState): void {
  cost.beforeUsd = cost.totalUsd
  cost.counterUsd = 0
  cost.models = new Map()
}

// In sums of floats, a difference below a millionth of a cent is a rounding error.
const roundingUsd = 1e-8
const rounded = (usd: number) => Math.round(usd * 1e12) / 1e12
const isSame = (one: number, other: number) => Math.abs(one - other) < roundingUsd

/**
 * Adds a share that brought the counter to `counterUsd`. The counter may not have continued from its last seen value.
 */
function count(cost: CostState, counterUsd: number, shareUsd: number): void {
  const fromUsd = counterUsd - shareUsd
  if (!isSame(fromUsd, cost.counterUsd)) cost.beforeUsd = cost.totalUsd - fromUsd
  cost.counterUsd = counterUsd
  cost.totalUsd = cost.beforeUsd + counterUsd
}

/** The result of a failed start has zero, whatever was spent before. A counter that fell has restarted. */
function differenceUsd({ counterUsd: before }: CostState, counterUsd = 0): number {
  if (counterUsd <= 0) return 0
  return rounded(counterUsd < before ? counterUsd : counterUsd - before)
}

/** Returns the share of the run by model from the counters; undefined if they do not determine it. */
function modelShares(before: Shares | null, counted: Shares | undefined, run: ModelShare): Shares | undefined {
  if (!counted) return undefined
  const names = [...counted.keys()]
  if (!before) return names.length === 1 ? new Map([[names[0]!, run]]) : undefined
  const restarted = [...before].some(([name, share]) => (counted.get(name)?.costUsd ?? 0) < share.costUsd)
  const shares = new Map(
    [...counted].map(([name, share]) => [name, difference(share, restarted ? undefined : before.get(name))]),
  )
  return isSame(sumOf(shares), run.costUsd) ? shares : undefined
}

function difference(after: ModelShare, before: ModelShare = nothing): ModelShare {
  const less = (kind: keyof Tokens) => Math.max(0, after.tokens[kind] - before.tokens[kind])
  return {
    costUsd: rounded(after.costUsd - before.costUsd),
    tokens: {
      input: less('input'),
      output: less('output'),
      cacheCreation: less('cacheCreation'),
      cacheRead: less('cacheRead'),
    },
  }
}

const nothing: ModelShare = { costUsd: 0, tokens: noTokens }

/** Returns undefined if the value is missing or one of its costs is not a valid amount. */
function readShares(models: unknown): Shares | undefined {
  if (!isShape(models)) return undefined
  const entries = Object.entries(models)
  if (entries.some(([, usage]) => usdOf(shapeOf(usage)?.['costUSD'] ?? 0) === undefined)) return undefined
  return new Map(entries.map(([name, usage]) => [name, readShare(usage)]))
}

function readShare(usage: unknown): ModelShare {
  const counts = isShape(usage) ? usage : {}
  const amount = (name: string) => countOf(counts[name]) ?? 0
  return {
    costUsd: rounded(usdOf(counts['costUSD']) ?? 0),
    tokens: {
      input: amount('inputTokens'),
      output: amount('outputTokens'),
      cacheCreation: amount('cacheCreationInputTokens'),
      cacheRead: amount('cacheReadInputTokens'),
    },
  }
}

const sumOf = (shares: Shares) => rounded([...shares.values()].reduce((sum, { costUsd }) => sum + costUsd, 0))

const tokensOfAll = (shares: Shares): Tokens =>
  [...shares.values()].reduce((sum, { tokens }) => sumOfTokens(sum, tokens), noTokens)

const isNothing = ({ costUsd, tokens }: ModelShare) => costUsd === 0 && Object.values(tokens).every(each => each === 0)
