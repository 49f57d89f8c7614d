import { Type, type Static, type TProperties } from 'typebox'
import { ApprovalDecision, ApprovalKind, ApprovalReason, Decider } from './approval.ts'
import { Actor, ApprovalId, RunId, SessionId } from './ids.ts'
import { CancelEnd, CancelMode, CancelStep, Failure, ModelShare, Origin, Tokens } from './run.ts'
import { SessionChanges } from './session.ts'
import type { TerminalType } from './wire.ts'

/**
 * The events of `session/<id>`: one typed fact each. Every event has `seq` (from 1, no gap, per session and epoch),
 * `time` (ms since epoch: when the bytes it stems from arrived), `run` (null between runs) and, for what a sub-agent
 * does, `parent`: the tool use id of the call that started it. `cut` is there when the event was too large to be sent
 * whole (`event.get` has it).
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

/** One turn of a run's transcript, as Claude Code printed it: content blocks, one tool result, or a user's text. */
export const TranscriptEntry = Type.Object({
  role: Type.Enum(['assistant', 'tool_result', 'user']),
  content: Type.Unknown(),
  timestampMs: Type.Integer(),
})
export type TranscriptEntry = Static<typeof TranscriptEntry>

/**
 * What a run had said when it ended, however it ended. `responseCut` and `transcriptCut` say what is left out of a response
 * or transcript that is too long: the end of the response, the oldest entries of the transcript.
 */
const outcome = {
  response: Type.String(),
  transcript: Type.Array(TranscriptEntry),
  responseCut: Type.Optional(Type.Object({ characters: Type.Integer() })),
  transcriptCut: Type.Optional(Type.Object({ entries: Type.Integer(), characters: Type.Integer() })),
}

/**
 * One row an event type. Sent by the daemon only; a client ignores types it does not know.
 *
 * Terminal events, exactly one a run: `done`, `failed`, `cancelled`, `interrupted`.
 */
export const events = {
  /** A prompt was accepted and waits its turn. First event of every run that a client starts. */
  run_queued: event('run_queued', { prompt: Type.String(), origin: Origin }),
  /** It has another place in the queue of its session (0: the next): somebody moved it. */
  run_moved: event('run_moved', { by: Actor, to: Type.Integer({ minimum: 0 }) }),
  /** The run has left the queue: its prompt goes to Claude Code. First event of a run that Claude Code began itself. */
  run_started: event('run_started', { prompt: Type.String(), origin: Origin }),
  /** Somebody has changed the session; `changes` is what was asked for. */
  session_updated: event('session_updated', { by: Actor, changes: SessionChanges }),
  /** First event of a fork: what was said before is in the log of `from.session`, up to `from.seq`. */
  session_forked: event('session_forked', {
    from: Type.Object({ session: SessionId, seq: Type.Integer({ minimum: 0 }) }),
    by: Actor,
  }),
  /** First event of a session that takes up a conversation: what was said before is in no log. */
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
   * All text, thinking and tools of this message are withdrawn: the attempt was abandoned and is made again. With
   * `fromIndex` only from the block of that index on.
   */
  message_discarded: event('message_discarded', { messageId: Type.String(), fromIndex: index }),
  assistant_text: event('assistant_text', { delta: Type.String(), messageId: optionalString, index }),
  thinking: event('thinking', { delta: Type.String(), messageId: optionalString, index }),
  /**
   * The model thinks, and its text is not streamed. `estimatedTokens` counts the current thinking block so far. The daemon
   * sends one event for about each 100 tokens.
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
  /** A tool call has begun to be written; its input follows with `tool_use`. */
  tool_started: event('tool_started', { toolUseId: Type.String(), tool: Type.String() }),
  /** The whole call. `input` is `{}` when there is none, the raw string when it is no JSON. */
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
   * `costUsd` is the session's total so far, `runCostUsd` this run's share, `runModels` the same by model with all its
   * tokens (absent where Claude Code does not tell). `tokens` is the sum over these models, sub-agents included; without
   * `runModels` it counts the main lane only. `models` is what Claude Code counts over its conversation, as it came.
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
    /** Claude Code's word for the end of the turn: `completed`, `hook_stopped`, `stop_hook_prevented`, … */
    terminalReason: optionalString,
    numTurns: Type.Integer({ minimum: 0 }),
    durationMs: Type.Number(),
    denials: Type.Optional(Type.Array(Type.Unknown())),
    structuredOutput: Type.Optional(Type.Unknown()),
    forcedExit: Type.Optional(Type.Boolean()),
  }),
  failed: event('failed', { failure: Failure, ...outcome }),
  cancel_requested: event('cancel_requested', { by: Actor, reason: optionalString, mode: CancelMode }),
  /** The run has come to a limit of its own, and its end is asked for as by a cancel; it will be `failed`. `value` in ms. */
  limit_reached: event('limit_reached', {
    limit: Type.Enum(['timeoutMs', 'inactivityMs']),
    value: Type.Integer(),
  }),
  /** What was done to end the run had no effect in time: this was done next. */
  cancel_escalated: event('cancel_escalated', { step: CancelStep }),
  /** `by` asked first; `mode` is the strongest that was asked for, by whomever; `ended` is what that has ended. */
  cancelled: event('cancelled', {
    by: Actor,
    reason: optionalString,
    mode: Type.Optional(CancelMode),
    ended: Type.Optional(CancelEnd),
    ...outcome,
  }),
  /** The process was lost without anybody having asked for it: the daemon was stopped or died. */
  interrupted: event('interrupted', { reason: Type.String(), ...outcome }),
  /** Claude Code asks for an answer: any client may give it (`approval.answer`). Ends with `approval_resolved`. */
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
  /** `input`: what the tool is used with instead. `remembered`: the permissions that were given for the session. */
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
   * A sentence of Claude Code for people. `kind` is the frame's subtype: `informational`, `notification`,
   * `local_command_output`, `model_refusal_fallback`, `session_writes_lost`, … `model` is there when the session goes on
   * with another model.
   */
  system_message: event('system_message', {
    level: Type.Enum(['info', 'warning', 'error']),
    text: Type.String(),
    kind: Type.String(),
    model: optionalString,
  }),
  /**
   * Tasks that went on in the background ended with the process they were in: with a crash, a cancel by a signal, a close, or
   * because a queued run needed another process and had waited for them long enough. At most 100; `more` counts the others.
   */
  background_lost: event('background_lost', {
    tasks: Type.Array(Type.Object({ id: Type.String(), description: optionalString })),
    more: Type.Integer({ minimum: 0 }),
  }),
  /** A frame that has no event of its own, verbatim. Nothing Claude Code prints is dropped. */
  notice: event('notice', { kind: Type.String(), frame: Type.Unknown() }),
  /** A line that is no frame, or over a bound, or cannot be read: its size and its first bytes as text. */
  unparsed: event('unparsed', { reason: Type.String(), bytes: Type.Integer(), head: Type.String() }),
  /**
   * What was kept at this place is damaged: what could be read goes on around it. `raw`: that much of the process's
   * output could not be translated. `events`: it stands for the event that had this `seq`.
   */
  log_damaged: event('log_damaged', {
    log: Type.Enum(['raw', 'events']),
    bytes: Type.Integer(),
    detail: Type.String(),
  }),
}

export type EventType = keyof typeof events
export type EventOf<Name extends EventType> = Static<(typeof events)[Name]>
/** Any event of a session: narrow it by `type`. */
export type Event = { [Name in EventType]: EventOf<Name> }[EventType]

/** An event before it has its place in a log: what the translator and the sessions make. */
export type EventBody = { [Name in EventType]: Omit<EventOf<Name>, 'seq' | 'time' | 'run' | 'cut'> }[EventType]

export { terminalTypes, type TerminalType } from './wire.ts'
export type TerminalEvent = EventOf<TerminalType>
