import { Type, type Static } from 'typebox'
import { RunId, SessionId } from './ids.ts'
import { limits } from './limits.ts'
import { Tokens } from './run.ts'

export const UsageGroup = Type.Enum(['day', 'model', 'session', 'run'])
export type UsageGroup = Static<typeof UsageGroup>

/**
 * What is asked for: what runs used at `from` (ms since epoch) or later and before `to`; absent: from the first on, and
 * up to now. What a run used counts at its end. `timeZone` (IANA; default: the daemon's) says where a day begins.
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
 * One row for each of what was asked for with `by`, whose members alone are there. `day` is `YYYY-MM-DD`. `model` is
 * null where Claude Code did not tell it, `run` where something was used between runs.
 */
export const UsageRow = Type.Object({
  day: Type.Optional(Type.String()),
  model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  session: Type.Optional(SessionId),
  run: Type.Optional(Type.Union([RunId, Type.Null()])),
  ...sum,
})
export type UsageRow = Static<typeof UsageRow>

/** `total` is of everything asked for, also of the `more` rows that are beyond `limit`. */
export const Usage = Type.Object({
  rows: Type.Array(UsageRow),
  more: Type.Integer(),
  total: Type.Object(sum),
  timeZone: Type.String(),
})
export type Usage = Static<typeof Usage>
