import { Type, type Static } from 'typebox'
import { Actor, RunId, SessionId } from './ids.ts'
import { limits } from './limits.ts'

export const RunState = Type.Enum(['queued', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'interrupted'])
export type RunState = Static<typeof RunState>

/** The origin of a run: a client, or Claude Code itself (for example a background task that reported back). */
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
 * Why a run failed.
 *
 * - `title`: one line for a person. `advice`: what to do; absent in records of muxd versions that did not know it.
 * - `detail`: the words of Claude Code or the system.
 * - `retryable`: whether the same prompt may succeed later.
 * - `resetsAt`: when a usage limit ends, in ms since epoch, if Claude Code reported it.
 * - `stderrTail`: the end of the process's stderr.
 *
 * Secrets in `detail` and `stderrTail` are replaced by `[redacted]`.
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

/** The cost, in US dollars, and the tokens of one model. */
export const ModelShare = Type.Object({ costUsd: Type.Number(), tokens: Tokens })
export type ModelShare = Static<typeof ModelShare>

/** The outcome of a run. `costUsd` is the run's own share. */
export const RunResult = Type.Object({
  response: Type.String(),
  costUsd: Type.Number(),
  tokens: Tokens,
  failure: Type.Optional(Failure),
})
export type RunResult = Static<typeof RunResult>

const milliseconds = Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxRunLimitMs }))

/**
 * Limits of a run. Each ends the run as `failed` with its own failure code:
 *
 * - `timeoutMs`: since the run was started, by the wall clock (`timed_out`)
 * - `inactivityMs`: since its process last printed anything, without the time in which an approval waits (`inactive`)
 * - `maxTurns`: requests to the model (`max_turns`)
 * - `maxBudgetUsd`: US dollars spent on this run by Claude Code's own estimate, checked after each request
 *   (`max_budget`)
 */
export const RunLimits = Type.Object({
  timeoutMs: milliseconds,
  inactivityMs: milliseconds,
  maxTurns: Type.Optional(Type.Integer({ minimum: 1 })),
  maxBudgetUsd: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
})
export type RunLimits = Static<typeof RunLimits>

/**
 * What a queued run waits for. `session`: an earlier run of its session. `slot`: one of the `maxRuns` slots. `memory`:
 * free memory for its process. `background`: background work in a live process that the run cannot use.
 */
export const WaitingFor = Type.Enum(['session', 'slot', 'memory', 'background'])
export type WaitingFor = Static<typeof WaitingFor>

/**
 * The last sign of life of an active run. `at` is when its process last printed something, in ms since epoch, and
 * `silentMs` how long ago that is. `what` is the tool that runs, or the type of the last event. muxd concludes nothing
 * from silence.
 */
export const Activity = Type.Object({
  at: Type.Integer(),
  silentMs: Type.Integer({ minimum: 0 }),
  what: Type.String(),
})
export type Activity = Static<typeof Activity>

/**
 * One prompt with exactly one terminal event.
 *
 * - `firstSeq` and `lastSeq` bound the run's events in the session's log.
 * - `lastSeq`, `endedAt` and `result` are null until the run has ended. `startedAt` is null until it leaves the queue.
 * - `position` is its position in the session's queue (0: the next), and null when it is not queued. It is absent in
 *   records of muxd versions without it.
 * - `activity` is in the answers of `run.*` for a run that has started and not ended. The topic `sessions` never has
 *   it, because it would be stale there.
 *
 * Times are ms since epoch.
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

/** How forcefully to cancel a run: end the turn, end the process, or kill the process and everything it started. */
export const CancelMode = Type.Enum(['interrupt', 'terminate', 'kill'])
export type CancelMode = Static<typeof CancelMode>

/** The steps of a cancel: the modes, and `sigint` between them for a turn that does not react to `interrupt`. */
export const CancelStep = Type.Enum(['interrupt', 'sigint', 'terminate', 'kill'])
export type CancelStep = Static<typeof CancelStep>

/** What a cancel ended: nothing (the prompt was never sent), the turn (the process lives on), or the process. */
export const CancelEnd = Type.Enum(['nothing', 'turn', 'process'])
export type CancelEnd = Static<typeof CancelEnd>
