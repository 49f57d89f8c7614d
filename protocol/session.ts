import { Type, type Static } from 'typebox'
import { ApprovalOptions } from './approval.ts'
import { limits } from './limits.ts'
import { RunId, SessionId } from './ids.ts'
import { secret } from './secret.ts'

/**
 * What Claude Code is started with in a session. `env` is added to the daemon's environment; `args` are further
 * command-line arguments and, like `permissionMode: bypassPermissions`, need the configuration's leave.
 * The values of `mcpConfig`, `settings`, `env` and `args` may be secrets: everywhere but in what `session.get` answers to
 * the control role they are `[masked]`. The names of variables and the number of entries are shown.
 */
export const ClaudeOptions = Type.Object({
  model: Type.Optional(Type.String({ minLength: 1 })),
  permissionMode: Type.Optional(Type.String({ minLength: 1 })),
  allowedTools: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  disallowedTools: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  appendSystemPrompt: Type.Optional(Type.String()),
  maxTurns: Type.Optional(Type.Integer({ minimum: 1 })),
  maxBudgetUsd: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  addDirs: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  mcpConfig: Type.Optional(Type.Array(Type.String({ minLength: 1, ...secret }))),
  settings: Type.Optional(Type.String({ minLength: 1, ...secret })),
  env: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(secret), {
      additionalProperties: false,
    }),
  ),
  args: Type.Optional(Type.Array(Type.String(secret))),
})
export type ClaudeOptions = Static<typeof ClaudeOptions>

// A record checks the values of names that match: others have to be refused by name.
const labelName = Type.String({ pattern: `^[\\s\\S]{0,${limits.maxLabelLength}}$` })
const label = Type.String({ maxLength: limits.maxLabelLength })
export const Labels = Type.Record(labelName, label, { maxProperties: limits.maxLabels, additionalProperties: false })
export type Labels = Static<typeof Labels>

export const SessionState = Type.Enum(['idle', 'running', 'waiting', 'closed'])
export type SessionState = Static<typeof SessionState>

/** Claude Code's own id of a conversation. */
const ClaudeSessionId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: "Claude Code's session id, a UUID in lower case",
})

/**
 * Where a session branched off: after event `seq` of `session`. `conversation` is what its first process is made of: the
 * source's, up to and including the message with this uuid. It is absent once the session was begun anew.
 */
export const ForkedFrom = Type.Object({
  session: SessionId,
  seq: Type.Integer({ minimum: 0 }),
  conversation: Type.Optional(Type.Object({ claudeSessionId: Type.String(), message: Type.String() })),
})
export type ForkedFrom = Static<typeof ForkedFrom>

/**
 * A process that Claude Code started in a session of its own, such as a dev server, and that goes on after the end of Claude
 * Code. `startedAt` is about when; `identity` tells it from a later process with its pid. `command` is the beginning of its
 * arguments, with secrets taken out.
 */
export const LeftProcess = Type.Object({
  pid: Type.Integer(),
  startedAt: Type.Integer(),
  command: Type.String(),
  identity: Type.String(),
})
export type LeftProcess = Static<typeof LeftProcess>

/** An exception in muxd's own code: what it said, and when. */
const Fault = Type.Object({ reason: Type.String(), at: Type.Integer() })

/**
 * A conversation with Claude Code in one working directory.
 * `head` is the `seq` of its newest event, `costUsd` what it has cost so far, `process` the live Claude Code process (`pid` is its own),
 * `claudeSessionId` Claude Code's own id of the conversation (null before the first run, unless it was taken up).
 * `claude` is what was asked for; `model` and `permissionMode` are what Claude Code named last, which it may have changed
 * by itself (a plan that was approved, a fallback of the model). The next process begins with that mode. `firstPrompt` is the beginning of the session's first
 * prompt, at most 200 characters: clients name a session without a title by it.
 * `updatedAt` is the time of the record's last change. `usedAt` is the time of the last use: a client's act (reading is
 * none), or the start or end of a run.
 * `left` are processes that Claude Code detached and that go on without it: at most 50 (`limits.maxLeftProcesses`), and how
 * many more there were. Answers of methods show those that still run.
 * `fault` is an error inside muxd that ended a run as `failed` with `internal`, until a run finishes. A second one before
 * that, or one while the session is restored, is `unusable`: then the session can be read, closed and deleted, and every
 * other call on it answers `unusable`.
 */
export const Session = Type.Object({
  session: SessionId,
  title: Type.String(),
  firstPrompt: Type.Optional(Type.String()),
  cwd: Type.String(),
  state: SessionState,
  process: Type.Union([Type.Object({ pid: Type.Integer(), startedAt: Type.Integer() }), Type.Null()]),
  claudeSessionId: Type.Union([Type.String(), Type.Null()]),
  claude: ClaudeOptions,
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
 * Parameters that make a session: `session.create`, and `create` of `run.start`. `cwd` is an absolute path.
 * `claudeSessionId` takes up a conversation that was begun in this directory without muxd.
 */
export const SessionSpec = Type.Object({
  cwd: Type.String({ minLength: 1 }),
  claudeSessionId: Type.Optional(ClaudeSessionId),
  title: Type.Optional(title),
  labels: Type.Optional(Labels),
  claude: Type.Optional(ClaudeOptions),
  approvals: Type.Optional(ApprovalOptions),
})
export type SessionSpec = Static<typeof SessionSpec>

/** What a fork may have of its own; else it has the source's. */
export const SessionNaming = Type.Object({ title: Type.Optional(title), labels: Type.Optional(Labels) })
export type SessionNaming = Static<typeof SessionNaming>

/**
 * What of a session can be changed: title and labels are replaced. Model and mode are those of the next process, and of
 * the present one from its next request on. `approvals` replaces policy and rules, also for the questions that are open;
 * how long those wait is settled when a session is made. `claudeSessionId: null` gives the conversation up: the next run
 * begins anew.
 */
export const SessionChanges = Type.Object({
  ...SessionNaming.properties,
  model: ClaudeOptions.properties.model,
  permissionMode: ClaudeOptions.properties.permissionMode,
  approvals: Type.Optional(
    Type.Object({ policy: ApprovalOptions.properties.policy, rules: ApprovalOptions.properties.rules }),
  ),
  claudeSessionId: Type.Optional(Type.Null()),
})
export type SessionChanges = Static<typeof SessionChanges>

/**
 * A conversation of Claude Code's that a session could take up. `prompt` is the beginning of its first; `session` the one
 * here that has it already, `openIn` a live process elsewhere that has it open, where that is known.
 */
export const Importable = Type.Object({
  claudeSessionId: Type.String(),
  prompt: Type.String(),
  startedAt: Type.Union([Type.Integer(), Type.Null()]),
  updatedAt: Type.Integer(),
  sizeBytes: Type.Integer(),
  session: Type.Optional(SessionId),
  openIn: Type.Optional(Type.Object({ pid: Type.Integer(), home: Type.Optional(Type.String()) })),
})
export type Importable = Static<typeof Importable>
