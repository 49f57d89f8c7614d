import type { EventBody, ModelShare, Tokens } from '../../../../protocol/index.ts'
import { noTokens, sumOfTokens } from '../../../usage/tokens.ts'
import { countOf, isShape, type Shape, shapeOf, usdOf } from '../shape.ts'
import { tokensOf } from './messages.ts'

/**
 * What the conversation has cost. Claude Code's counter is cumulative and goes on over `--resume`, but not always from
 * where it stood: `/clear` begins anew at zero, a process that follows a killed one goes on from the last one that
 * ended in order, and a fork begins with what its origin has cost. `beforeUsd` is what lies between the two.
 */
export interface CostState {
  totalUsd: number
  beforeUsd: number
  /** Claude Code's counter at the latest result. */
  counterUsd: number
  /** The same by model; null as long as only an earlier process knows it. */
  models: Shares | null
}

/** By name of the model: a map, for any name may come. */
type Shares = ReadonlyMap<string, ModelShare>

/**
 * The `cost` of a `result`. The run's share is what Claude Code names as used since its result before; from a version
 * that names no such thing it is the difference of its counters, which misleads where they go on from another place.
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

/** Claude Code counts from zero again: the conversation was reset. */
export function restartCounter(cost: CostState): void {
  cost.beforeUsd = cost.totalUsd
  cost.counterUsd = 0
  cost.models = new Map()
}

// Sums of floats: what is below a millionth of a cent is rounding, not money.
const roundingUsd = 1e-8
const rounded = (usd: number) => Math.round(usd * 1e12) / 1e12
const isSame = (one: number, other: number) => Math.abs(one - other) < roundingUsd

/** The counter stands at `counterUsd` with this share: where it stood before is not always where it was seen last. */
function count(cost: CostState, counterUsd: number, shareUsd: number): void {
  const fromUsd = counterUsd - shareUsd
  if (!isSame(fromUsd, cost.counterUsd)) cost.beforeUsd = cost.totalUsd - fromUsd
  cost.counterUsd = counterUsd
  cost.totalUsd = cost.beforeUsd + counterUsd
}

/** Results of a failed start carry zero, whatever was spent before; a counter that fell has begun anew. */
function differenceUsd({ counterUsd: before }: CostState, counterUsd = 0): number {
  if (counterUsd <= 0) return 0
  return rounded(counterUsd < before ? counterUsd : counterUsd - before)
}

/** The run's share by model, as the counters tell it; undefined where they do not. */
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

/** Undefined where it is missing, or where one of its costs is no amount. */
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
