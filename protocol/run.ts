import { Type, type Static } from 'typebox'
import { Actor, RunId, SessionId } from './ids.ts'

export const RunState = Type.Enum(['queued', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'interrupted'])
export type RunState = Static<typeof RunState>

/** Who began a run: a client, or Claude Code itself (a background task that reported back). */
export const Origin = Type.Union([Actor, Type.Object({ background: Type.Object({ kind: Type.String() }) })])
export type Origin = Static<typeof Origin>

export const FailureCode = Type.Enum([
  'rate_limited',
  'overloaded',
  'usage_limit',
  'billing',
  'auth',
  'context_exceeded',
  'max_turns',
  'max_budget',
  'refused',
  'invalid_request',
  'model_not_found',
  'network',
  'crashed',
  'killed',
  'hung',
  'no_output',
  'spawn_failed',
  'resume_failed',
  'disk_full',
  'unknown',
])
export type FailureCode = Static<typeof FailureCode>

/**
 * Why a run failed. `title` is one line for a person and `advice` what to do (absent in what was stored by a muxd that did
 * not know it), `detail` what Claude Code or the system said, `retryable` whether the same prompt may succeed later.
 * `resetsAt` is when a usage limit ends, in ms since epoch, where Claude Code told it. `stderrTail` is the end of what the
 * process wrote to stderr. Secrets are taken out of `detail` and `stderrTail`: `[redacted]`.
 */
export const Failure = Type.Object({
  code: FailureCode,
  title: Type.String(),
  detail: Type.String(),
  retryable: Type.Boolean(),
  advice: Type.Optional(Type.String()),
  resetsAt: Type.Optional(Type.Number()),
  exitCode: Type.Optional(Type.Integer()),
  signal: Type.Optional(Type.String()),
  stderrTail: Type.Optional(Type.String()),
})
export type Failure = Static<typeof Failure>

/** Tokens as the API counts them. */
export const Tokens = Type.Object({
  input: Type.Number(),
  output: Type.Number(),
  cacheCreation: Type.Number(),
  cacheRead: Type.Number(),
})
export type Tokens = Static<typeof Tokens>

/** What was used of one model. */
export const ModelShare = Type.Object({ costUsd: Type.Number(), tokens: Tokens })
export type ModelShare = Static<typeof ModelShare>

/** What a run ended with; `costUsd` is the run's own share. */
export const RunResult = Type.Object({
  response: Type.String(),
  costUsd: Type.Number(),
  tokens: Tokens,
  failure: Type.Optional(Failure),
})
export type RunResult = Static<typeof RunResult>

/**
 * One prompt, carried to exactly one terminal event. `firstSeq` and `lastSeq` bound its events in the session's log;
 * `lastSeq`, `endedAt` and `result` are null until it has ended, `startedAt` until it has left the queue.
 */
export const Run = Type.Object({
  run: RunId,
  session: SessionId,
  state: RunState,
  prompt: Type.String(),
  origin: Origin,
  firstSeq: Type.Integer({ minimum: 1 }),
  lastSeq: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  startedAt: Type.Union([Type.Integer(), Type.Null()]),
  endedAt: Type.Union([Type.Integer(), Type.Null()]),
  result: Type.Union([RunResult, Type.Null()]),
})
export type Run = Static<typeof Run>

/** How hard a run is cancelled: end the turn, end the process, or kill the process and everything it started. */
export const CancelMode = Type.Enum(['interrupt', 'terminate', 'kill'])
export type CancelMode = Static<typeof CancelMode>
