import { Type, type Static } from 'typebox'
import { Actor, RunId, SessionId } from './ids.ts'
import { limits } from './limits.ts'

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
  'timed_out',
  'inactive',
  'refused',
  'hook_blocked',
  'invalid_request',
  'model_not_found',
  'network',
  'crashed',
  'killed',
  'hung',
  'no_output',
  'spawn_failed',
  'resume_failed',
  'in_use',
  'rules_refused',
  'disk_full',
  'internal',
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

const milliseconds = Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxRunLimitMs }))

/**
 * What ends a run that goes on for too long, each with a failure code of its own: `timeoutMs` since it was started
 * (`timed_out`), `inactivityMs` since its process last printed anything (`inactive`; while an approval waits for its
 * answer, that does not count), `maxTurns` requests to the model (`max_turns`), `maxBudgetUsd` spent on this run, by
 * Claude Code's own estimate, which is looked at after each request (`max_budget`).
 */
export const RunLimits = Type.Object({
  timeoutMs: milliseconds,
  inactivityMs: milliseconds,
  maxTurns: Type.Optional(Type.Integer({ minimum: 1 })),
  maxBudgetUsd: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
})
export type RunLimits = Static<typeof RunLimits>

/** What a queued run waits for: an earlier run of its session, one of the `maxRuns` places, or free memory. */
export const WaitingFor = Type.Enum(['session', 'place', 'memory', 'background'])
export type WaitingFor = Static<typeof WaitingFor>

/**
 * The last sign of life of a run that goes on: when its process printed something (`at`), how long that is ago, and
 * the tool that runs or the type of its last event (`what`). However long the silence, nothing is concluded from it.
 */
export const Activity = Type.Object({
  at: Type.Integer(),
  silentMs: Type.Integer({ minimum: 0 }),
  what: Type.String(),
})
export type Activity = Static<typeof Activity>

/**
 * One prompt, carried to exactly one terminal event. `firstSeq` and `lastSeq` bound its events in the session's log;
 * `lastSeq`, `endedAt` and `result` are null until it has ended, `startedAt` until it has left the queue.
 * `position` is its place in the queue of its session (0: the next), null when it is not queued (absent in what a muxd without it has kept). `activity` is in the
 * answers of `run.*` for a run that was started and has not ended; never on the topic `sessions`, where it would be stale.
 */
export const Run = Type.Object({
  run: RunId,
  session: SessionId,
  state: RunState,
  position: Type.Optional(Type.Union([Type.Integer({ minimum: 0 }), Type.Null()])),
  waitingFor: Type.Optional(WaitingFor),
  prompt: Type.String(),
  origin: Origin,
  limits: Type.Optional(RunLimits),
  firstSeq: Type.Integer({ minimum: 1 }),
  lastSeq: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  startedAt: Type.Union([Type.Integer(), Type.Null()]),
  endedAt: Type.Union([Type.Integer(), Type.Null()]),
  result: Type.Union([RunResult, Type.Null()]),
  activity: Type.Optional(Activity),
})
export type Run = Static<typeof Run>

/** How hard a run is cancelled: end the turn, end the process, or kill the process and everything it started. */
export const CancelMode = Type.Enum(['interrupt', 'terminate', 'kill'])
export type CancelMode = Static<typeof CancelMode>

/** How hard the end of a run was pursued: the modes, and what comes between them where the turn does not obey. */
export const CancelStep = Type.Enum(['interrupt', 'sigint', 'terminate', 'kill'])
export type CancelStep = Static<typeof CancelStep>

/** What a cancel has ended: nothing (its prompt was never sent), the turn (the process lives on), or the process. */
export const CancelEnd = Type.Enum(['nothing', 'turn', 'process'])
export type CancelEnd = Static<typeof CancelEnd>
