import { Type, type Static } from 'typebox'
import { RunId, SessionId } from './ids.ts'
import { limits } from './limits.ts'
import { Tokens } from './run.ts'

export const UsageGroup = Type.Enum(['day', 'model', 'session', 'run'])
export type UsageGroup = Static<typeof UsageGroup>

/**
 * Selects the usage of runs that ended at `from` or later and before `to`, in ms since epoch; by default from the first
 * run until now. `by` groups the rows (default: day and model). `timeZone` (IANA; default: the daemon's) determines
 * where a day begins.
 */
export const UsageQuery = Type.Object({
  from: Type.Optional(Type.Integer({ minimum: 0 })),
  to: Type.Optional(Type.Integer({ minimum: 0 })),
  session: Type.Optional(SessionId),
  by: Type.Optional(Type.Array(UsageGroup, { minItems: 1, uniqueItems: true })),
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxPageSize })),
})
export type UsageQuery = Static<typeof UsageQuery>

const sum = {
  costUsd: Type.Number(),
  tokens: Tokens,
  runs: Type.Integer({ description: 'so many different runs have used it' }),
}

/**
 * The usage of one group. Only the fields named in `by` are present. `day` is `YYYY-MM-DD`. `model` is null if Claude
 * Code did not report it. `run` is null for usage between runs.
 */
export const UsageRow = Type.Object({
  day: Type.Optional(Type.String()),
  model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  session: Type.Optional(SessionId),
  run: Type.Optional(Type.Union([RunId, Type.Null()])),
  ...sum,
})
export type UsageRow = Static<typeof UsageRow>

/** `total` covers all selected usage, including the `more` rows beyond `limit`. */
export const Usage = Type.Object({
  rows: Type.Array(UsageRow),
  more: Type.Integer(),
  total: Type.Object(sum),
  timeZone: Type.String(),
})
export type Usage = Static<typeof Usage>
