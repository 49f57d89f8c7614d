import { Type, type Static, type TProperties } from 'typebox'
import { ApprovalDecision, ApprovalKind, ApprovalReason, Decider } from './approval.ts'
import { Actor, ApprovalId, RunId, SessionId } from './ids.ts'
import { CancelEnd, CancelMode, CancelStep, Failure, ModelShare, Origin, Tokens } from './run.ts'
import { SessionChanges } from './session.ts'
import type { TerminalType } from './wire.ts'

/**
 * The events of `session/<id>`. Each is one typed fact. Every event has:
 *
 * - `seq`: from 1, without gaps, for each session and epoch
 * - `time`: when the bytes that it comes from arrived, in ms since epoch
 * - `run`: null between runs
 * - `parent`: the tool use id of the call that started the sub-agent; absent for the main agent
 * - `cut`: present if the event was too large to be sent whole. `bytes` is its whole size; `event.get` returns it.
 */
const envelope = {
  seq: Type.Integer({ minimum: 1 }),
  time: Type.Integer(),
  run: Type.Union([RunId, Type.Null()]),
  parent: Type.Optional(Type.String()),
  cut: Type.Optional(Type.Object({ bytes: Type.Integer() })),
}

const event = <Name extends string, Fields extends TProperties>(type: Name, fields: Fields) =>
  Type.Object({ ...envelope, type: Type.Literal(type), ...fields })

const optionalString = Type.Optional(Type.String())
const index = Type.Optional(Type.Integer({ minimum: 0 }))

/**
 * The changes of a `session.update`. Stored events keep the names of protocol 1: `claudeSessionId: null` is the
 * `conversationId: null` of the call.
 */
const { conversationId, ...sameNames } = SessionChanges.properties
const StoredChanges = Type.Object({ ...sameNames, claudeSessionId: conversationId })
export type StoredChanges = Static<typeof StoredChanges>

/** One entry of a run's transcript, as Claude Code printed it: content blocks, one tool result, or a user's text. */
export const TranscriptEntry = Type.Object({
  role: Type.Enum(['assistant', 'tool_result', 'user']),
  content: Type.Unknown(),
  timestampMs: Type.Integer(),
})
export type TranscriptEntry = Static<typeof TranscriptEntry>

/**
 * The output of a run until its end, in every terminal event. `responseCut` and `transcriptCut` count what was left out
 * of a long response or transcript: the end of the response, the oldest entries of the transcript.
 */
const outcome = {
  response: Type.String(),
  transcript: Type.Array(TranscriptEntry),
  responseCut: Type.Optional(Type.Object({ characters: Type.Integer() })),
  transcriptCut: Type.Optional(Type.Object({ entries: Type.Integer(), characters: Type.Integer() })),
}

/**
 * One row for each event type. Only the daemon sends events. Clients ignore types that they do not know.
 *
 * Each run has exactly one terminal event: `done`, `failed`, `cancelled` or `interrupted`.
 */
export const events = {
  /** A prompt was accepted and is queued. First event of every run that a client starts. */
  run_queued: event('run_queued', { prompt: Type.String(), origin: Origin }),
  /** A client moved the run in its session's queue. `to` is the new position; 0 is the next. */
  run_moved: event('run_moved', { by: Actor, to: Type.Integer({ minimum: 0 }) }),
  /** The run left the queue: its prompt goes to Claude Code. First event of a run that Claude Code began itself. */
  run_started: event('run_started', { prompt: Type.String(), origin: Origin }),
  /** A client changed the session. `changes` contains the requested values. */
  session_updated: event('session_updated', { by: Actor, changes: StoredChanges }),
  /** First event of a fork. The log of `from.session`, up to `from.seq`, contains what was said before. */
  session_forked: event('session_forked', {
    from: Type.Object({ session: SessionId, seq: Type.Integer({ minimum: 0 }) }),
    by: Actor,
  }),
  /**
   * First event of a session that continues a conversation begun outside muxd. No log contains what was said before.
   */
  session_imported: event('session_imported', { claudeSessionId: Type.String(), by: Actor }),
  session_init: event('session_init', {
    claudeSessionId: Type.String(),
    model: optionalString,
    tools: Type.Array(Type.String()),
    permissionMode: optionalString,
    apiKeySource: optionalString,
    claudeVersion: optionalString,
    mcpServers: Type.Array(Type.Unknown()),
  }),
  message_started: event('message_started', { messageId: Type.String(), model: optionalString }),
  message_finished: event('message_finished', {
    messageId: Type.String(),
    stopReason: Type.Union([Type.String(), Type.Null()]),
    usage: Type.Optional(Tokens),
  }),
  /**
   * Withdraws all text, thinking and tools of this message: the attempt was abandoned and is made again. With
   * `fromIndex`, withdraws only the blocks from that index on.
   */
  message_discarded: event('message_discarded', { messageId: Type.String(), fromIndex: index }),
  assistant_text: event('assistant_text', { delta: Type.String(), messageId: optionalString, index }),
  thinking: event('thinking', { delta: Type.String(), messageId: optionalString, index }),
  /**
   * The model is thinking, and its text is not streamed. `estimatedTokens` counts the current thinking block so far.
   * The daemon sends about one event for each 100 tokens.
   */
  thinking_progress: event('thinking_progress', { estimatedTokens: Type.Integer({ minimum: 0 }) }),
  /** A thinking block that the API encrypted. `bytes` is the size of the encrypted data, which is not in the event. */
  redacted_thinking: event('redacted_thinking', {
    bytes: Type.Integer({ minimum: 0 }),
    messageId: optionalString,
    index,
  }),
  /** A source of the text block with this `index`, as the API gives it (`cited_text`, `document_title`, `url`, …). */
  citation: event('citation', { citation: Type.Unknown(), messageId: optionalString, index }),
  /** Claude began to write a tool call. The input follows with `tool_use`. */
  tool_started: event('tool_started', { toolUseId: Type.String(), tool: Type.String() }),
  /**
   * The complete tool call. `input` is `{}` if there is none, and the raw string if it is not JSON. `incomplete` is
   * true if the call was cut off.
   */
  tool_use: event('tool_use', {
    toolUseId: Type.String(),
    tool: Type.String(),
    input: Type.Unknown(),
    incomplete: Type.Optional(Type.Boolean()),
  }),
  tool_result: event('tool_result', {
    toolUseId: Type.String(),
    tool: optionalString,
    output: Type.Unknown(),
    isError: Type.Boolean(),
    details: Type.Optional(Type.Unknown()),
  }),
  tool_progress: event('tool_progress', { toolUseId: Type.String(), elapsedMs: Type.Number() }),
  /**
   * `costUsd` is the session's total so far, and `runCostUsd` this run's share, both in US dollars. `runModels` splits
   * the run's share by model, with all its tokens; it is absent if Claude Code does not report it. `tokens` is the sum
   * over `runModels`, sub-agents included; without `runModels` it counts the main agent only. `models` is Claude Code's
   * own count over its conversation, unchanged.
   */
  cost: event('cost', {
    costUsd: Type.Number(),
    runCostUsd: Type.Number(),
    tokens: Tokens,
    models: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    runModels: Type.Optional(Type.Record(Type.String(), ModelShare)),
  }),
  done: event('done', {
    ...outcome,
    stopReason: optionalString,
    /** Claude Code's own word for the end of the turn: `completed`, `hook_stopped`, `stop_hook_prevented`, … */
    terminalReason: optionalString,
    numTurns: Type.Integer({ minimum: 0 }),
    durationMs: Type.Number(),
    denials: Type.Optional(Type.Array(Type.Unknown())),
    structuredOutput: Type.Optional(Type.Unknown()),
    forcedExit: Type.Optional(Type.Boolean()),
  }),
  failed: event('failed', { failure: Failure, ...outcome }),
  cancel_requested: event('cancel_requested', { by: Actor, reason: optionalString, mode: CancelMode }),
  /**
   * The run hit its own limit. muxd ends it as it would for a cancel, and it becomes `failed`. `value` is the limit in
   * ms.
   */
  limit_reached: event('limit_reached', {
    limit: Type.Enum(['timeoutMs', 'inactivityMs']),
    value: Type.Integer(),
  }),
  /** The previous step to end the run had no effect in time, so muxd takes `step`. */
  cancel_escalated: event('cancel_escalated', { step: CancelStep }),
  /** `by` asked first. `mode` is the strongest mode that any client asked for. `ended` is what the cancel ended. */
  cancelled: event('cancelled', {
    by: Actor,
    reason: optionalString,
    mode: Type.Optional(CancelMode),
    ended: Type.Optional(CancelEnd),
    ...outcome,
  }),
  /** The run's process was lost without a request to end the run: the daemon or the pty-host was stopped or died. */
  interrupted: event('interrupted', { reason: Type.String(), ...outcome }),
  /**
   * Claude Code asks a question. Any client with the control role can answer it (`approval.answer`).
   * `approval_resolved` follows. `expiresAt` is ms since epoch.
   */
  approval_requested: event('approval_requested', {
    approval: ApprovalId,
    kind: ApprovalKind,
    tool: Type.String(),
    input: Type.Unknown(),
    toolUseId: Type.String(),
    description: optionalString,
    suggestions: Type.Optional(Type.Array(Type.Unknown())),
    ...ApprovalReason.properties,
    expiresAt: Type.Optional(Type.Integer()),
  }),
  /**
   * `input` is the replaced input of the tool. `remembered` are the permissions that were granted for the session's
   * process.
   */
  approval_resolved: event('approval_resolved', {
    approval: ApprovalId,
    decision: ApprovalDecision,
    by: Type.Optional(Decider),
    message: optionalString,
    input: Type.Optional(Type.Unknown()),
    remembered: Type.Optional(Type.Array(Type.Unknown())),
  }),
  permission_denied: event('permission_denied', {
    tool: Type.String(),
    toolUseId: Type.String(),
    message: Type.String(),
  }),
  user_message: event('user_message', {
    text: Type.String(),
    origin: Type.Union([Type.String(), Type.Null()]),
    synthetic: Type.Boolean(),
    replay: Type.Boolean(),
  }),
  task: event('task', {
    phase: Type.Enum(['started', 'progress', 'updated', 'ended']),
    taskId: Type.String(),
    toolUseId: optionalString,
    description: optionalString,
    status: optionalString,
    summary: optionalString,
    usage: Type.Optional(Type.Unknown()),
  }),
  status: event('status', {
    status: Type.Union([Type.String(), Type.Null()]),
    permissionMode: optionalString,
  }),
  compaction: event('compaction', {
    trigger: Type.String(),
    preTokens: Type.Optional(Type.Number()),
    postTokens: Type.Optional(Type.Number()),
    durationMs: Type.Optional(Type.Number()),
  }),
  /** `resetsAt` is ms since epoch. */
  rate_limit: event('rate_limit', {
    status: Type.String(),
    limitType: optionalString,
    resetsAt: Type.Optional(Type.Number()),
    utilization: Type.Optional(Type.Number()),
  }),
  api_retry: event('api_retry', {
    attempt: Type.Integer(),
    maxRetries: Type.Integer(),
    delayMs: Type.Number(),
    status: Type.Union([Type.Integer(), Type.Null()]),
    error: Type.String(),
  }),
  claude_session_changed: event('claude_session_changed', {
    from: Type.Union([Type.String(), Type.Null()]),
    to: Type.String(),
    reason: Type.String(),
  }),
  hook: event('hook', {
    phase: Type.Enum(['started', 'progress', 'ended']),
    name: Type.String(),
    event: Type.String(),
    outcome: optionalString,
    output: optionalString,
  }),
  /**
   * A message of Claude Code for people. `kind` is the frame's subtype: `informational`, `notification`,
   * `local_command_output`, `model_refusal_fallback`, `session_writes_lost`, … `model` is present if the session
   * continues with another model.
   */
  system_message: event('system_message', {
    level: Type.Enum(['info', 'warning', 'error']),
    text: Type.String(),
    kind: Type.String(),
    model: optionalString,
  }),
  /**
   * Background tasks ended with their process: at a crash, a cancel by a signal, a close, or because a queued run
   * needed another process and the time to wait for the tasks was over. Lists at most 100; `more` counts the others.
   */
  background_lost: event('background_lost', {
    tasks: Type.Array(Type.Object({ id: Type.String(), description: optionalString })),
    more: Type.Integer({ minimum: 0 }),
  }),
  /** A frame without an event type of its own, verbatim. muxd drops nothing that Claude Code prints. */
  notice: event('notice', { kind: Type.String(), frame: Type.Unknown() }),
  /**
   * A line that is not a frame, exceeds a bound, or cannot be decoded. `bytes` is its size, `head` its beginning as
   * text.
   */
  unparsed: event('unparsed', { reason: Type.String(), bytes: Type.Integer(), head: Type.String() }),
  /**
   * The stored data at this point of the log is damaged; the readable data around it counts. `raw`: `bytes` of the
   * process's output could not be translated. `events`: this event replaces the damaged event with the same `seq`.
   */
  log_damaged: event('log_damaged', {
    log: Type.Enum(['raw', 'events']),
    bytes: Type.Integer(),
    detail: Type.String(),
  }),
}

export type EventType = keyof typeof events
export type EventOf<Name extends EventType> = Static<(typeof events)[Name]>
/** Any event of a session. Narrow it by `type`. */
export type Event = { [Name in EventType]: EventOf<Name> }[EventType]

/** An event without its position in a log, as the translator and the sessions create it. */
export type EventBody = { [Name in EventType]: Omit<EventOf<Name>, 'seq' | 'time' | 'run' | 'cut'> }[EventType]

export { terminalTypes, type TerminalType } from './wire.ts'
export type TerminalEvent = EventOf<TerminalType>
