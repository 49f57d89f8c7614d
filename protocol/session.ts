import { Type, type Static } from 'typebox'
import { AgentKind, ClaudeOptions } from './agent.ts'
import { ApprovalOptions } from './approval.ts'
import { limits } from './limits.ts'
import { RunId, SessionId } from './ids.ts'

// A record schema checks only the values of matching names, so `additionalProperties: false` refuses the other names.
const labelName = Type.String({ pattern: `^[\\s\\S]{0,${limits.maxLabelLength}}$` })
const label = Type.String({ maxLength: limits.maxLabelLength })
export const Labels = Type.Record(labelName, label, { maxProperties: limits.maxLabels, additionalProperties: false })
export type Labels = Static<typeof Labels>

export const SessionState = Type.Enum(['idle', 'running', 'waiting', 'closed'])
export type SessionState = Static<typeof SessionState>

/** The agent's own id of a conversation. Claude Code calls it its session id. */
const ConversationId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: "the agent's id of a conversation, a UUID in lower case",
})

/**
 * The point where a session was forked: after event `seq` of `session`. `conversation` is the start of its first
 * process: the source's conversation up to and including the message with this uuid. It is absent once the session has
 * given its conversation up (`conversationId: null`).
 */
export const ForkedFrom = Type.Object({
  session: SessionId,
  seq: Type.Integer({ minimum: 0 }),
  conversation: Type.Optional(Type.Object({ conversationId: Type.String(), message: Type.String() })),
})
export type ForkedFrom = Static<typeof ForkedFrom>

/**
 * A process, such as a dev server, that Claude Code started in a process session of its own and that outlives Claude
 * Code. `startedAt` is approximate, in ms since epoch. `identity` distinguishes the process from a later one with the
 * same pid. `command` is the beginning of its arguments, without secrets.
 */
export const LeftProcess = Type.Object({
  pid: Type.Integer(),
  startedAt: Type.Integer(),
  command: Type.String(),
  identity: Type.String(),
})
export type LeftProcess = Static<typeof LeftProcess>

/** An exception in muxd's own code: its message, and its time in ms since epoch. */
const Fault = Type.Object({ reason: Type.String(), at: Type.Integer() })

/**
 * A conversation with Claude Code in one working directory. Times are ms since epoch.
 *
 * - `head`: the `seq` of the newest event. `costUsd`: the cost so far, in US dollars.
 * - `process`: the live process; `pid` is that of Claude Code itself.
 * - `agent`: the kind of the agent. `options`: the requested options, which are those of its kind.
 * - `conversationId`: the agent's own id of the conversation. It is null before the first run, except in a session that
 *   was created with one.
 * - `model` and `permissionMode`: the values that the agent last reported. It may change them by itself, after an
 *   approved plan or a fallback of the model. The next process starts with that mode.
 * - `firstPrompt`: the beginning of the session's first prompt, at most 200 characters. Clients use it as the name of a
 *   session without a title.
 * - `updatedAt`: the last change of the record. `usedAt`: the last use, which is a client's act (reading does not
 *   count) or the start or end of a run.
 * - `left`: processes that Claude Code detached and that outlive it, at most 50 (`limits.maxLeftProcesses`); `more`
 *   counts the others. Answers of methods list only those that still run.
 * - `fault`: an error inside muxd that ended a run as `failed` with `internal`. It stays until a run finishes.
 * - `unusable`: a second fault before that, or a fault while the session was restored. An unusable session can be read,
 *   closed and deleted; every other call on it answers `unusable`.
 */
export const Session = Type.Object({
  session: SessionId,
  title: Type.String(),
  firstPrompt: Type.Optional(Type.String()),
  cwd: Type.String(),
  state: SessionState,
  process: Type.Union([Type.Object({ pid: Type.Integer(), startedAt: Type.Integer() }), Type.Null()]),
  agent: AgentKind,
  options: ClaudeOptions,
  conversationId: Type.Union([Type.String(), Type.Null()]),
  approvals: Type.Optional(ApprovalOptions),
  model: Type.Optional(Type.String()),
  permissionMode: Type.Optional(Type.String()),
  forkedFrom: Type.Optional(ForkedFrom),
  labels: Labels,
  head: Type.Integer({ minimum: 0 }),
  costUsd: Type.Number({ minimum: 0 }),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
  usedAt: Type.Integer(),
  lastRun: Type.Union([RunId, Type.Null()]),
  left: Type.Optional(Type.Object({ processes: Type.Array(LeftProcess), more: Type.Integer({ minimum: 0 }) })),
  fault: Type.Optional(Fault),
  unusable: Type.Optional(Fault),
})
export type Session = Static<typeof Session>

const title = Type.String({ maxLength: 1_000 })

/**
 * Parameters of `session.create`, and of `create` in `run.start`. `cwd` is an absolute path. `agent` defaults to
 * `claude`; `options` are those of its kind. `conversationId` continues a conversation that was begun in this directory
 * without muxd.
 */
export const SessionSpec = Type.Object({
  cwd: Type.String({ minLength: 1 }),
  agent: Type.Optional(AgentKind),
  options: Type.Optional(ClaudeOptions),
  conversationId: Type.Optional(ConversationId),
  title: Type.Optional(title),
  labels: Type.Optional(Labels),
  approvals: Type.Optional(ApprovalOptions),
})
export type SessionSpec = Static<typeof SessionSpec>

/** The properties that a fork can have of its own. It takes the others from its source. */
export const SessionNaming = Type.Object({ title: Type.Optional(title), labels: Type.Optional(Labels) })
export type SessionNaming = Static<typeof SessionNaming>

/**
 * The properties of a session that `session.update` can change.
 *
 * - `title` and `labels` are replaced.
 * - `model` and `permissionMode` apply to the live process from its next request on, and to later processes.
 * - `approvals` replaces policy and rules, also for open questions. `expiresAfterMs` cannot be changed.
 * - `conversationId: null` gives the conversation up: the next run begins a new one.
 */
export const SessionChanges = Type.Object({
  ...SessionNaming.properties,
  model: ClaudeOptions.properties.model,
  permissionMode: ClaudeOptions.properties.permissionMode,
  approvals: Type.Optional(
    Type.Object({ policy: ApprovalOptions.properties.policy, rules: ApprovalOptions.properties.rules }),
  ),
  conversationId: Type.Optional(Type.Null()),
})
export type SessionChanges = Static<typeof SessionChanges>

/**
 * A conversation of Claude Code that a new session can continue. `prompt` is the beginning of its first prompt.
 * `session` is the session here that already has it. `openIn` is a live process elsewhere that has it open, if known.
 * Times are ms since epoch.
 */
export const Importable = Type.Object({
  conversationId: Type.String(),
  prompt: Type.String(),
  startedAt: Type.Union([Type.Integer(), Type.Null()]),
  updatedAt: Type.Integer(),
  sizeBytes: Type.Integer(),
  session: Type.Optional(SessionId),
  openIn: Type.Optional(Type.Object({ pid: Type.Integer(), home: Type.Optional(Type.String()) })),
})
export type Importable = Static<typeof Importable>
