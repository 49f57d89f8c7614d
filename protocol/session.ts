import { Type, type Static } from 'typebox'
import { ApprovalOptions } from './approval.ts'
import { limits } from './limits.ts'
import { RunId, SessionId } from './ids.ts'

/**
 * What Claude Code is started with in a session. `env` is added to the daemon's environment; `args` are further
 * command-line arguments and, like `permissionMode: bypassPermissions`, need the configuration's leave.
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
  mcpConfig: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  settings: Type.Optional(Type.String({ minLength: 1 })),
  env: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(), { additionalProperties: false }),
  ),
  args: Type.Optional(Type.Array(Type.String())),
})
export type ClaudeOptions = Static<typeof ClaudeOptions>

// A record checks the values of names that match: others have to be refused by name.
const labelName = Type.String({ pattern: `^[\\s\\S]{0,${limits.maxLabelLength}}$` })
const label = Type.String({ maxLength: limits.maxLabelLength })
export const Labels = Type.Record(labelName, label, { maxProperties: limits.maxLabels, additionalProperties: false })
export type Labels = Static<typeof Labels>

export const SessionState = Type.Enum(['idle', 'running', 'waiting', 'closed'])
export type SessionState = Static<typeof SessionState>

/**
 * A conversation with Claude Code in one working directory.
 * `head` is the `seq` of its newest event, `costUsd` what it has cost so far, `process` the live Claude Code process,
 * `claudeSessionId` Claude Code's own id of the conversation (null before the first run).
 */
export const Session = Type.Object({
  session: SessionId,
  title: Type.String(),
  cwd: Type.String(),
  state: SessionState,
  process: Type.Union([Type.Object({ pid: Type.Integer(), startedAt: Type.Integer() }), Type.Null()]),
  claudeSessionId: Type.Union([Type.String(), Type.Null()]),
  claude: ClaudeOptions,
  approvals: Type.Optional(ApprovalOptions),
  labels: Labels,
  head: Type.Integer({ minimum: 0 }),
  costUsd: Type.Number({ minimum: 0 }),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
  lastRun: Type.Union([RunId, Type.Null()]),
})
export type Session = Static<typeof Session>

/** Parameters that make a session: `session.create`, and `create` of `run.start`. `cwd` is an absolute path. */
export const SessionSpec = Type.Object({
  cwd: Type.String({ minLength: 1 }),
  title: Type.Optional(Type.String({ maxLength: 1_000 })),
  labels: Type.Optional(Labels),
  claude: Type.Optional(ClaudeOptions),
  approvals: Type.Optional(ApprovalOptions),
})
export type SessionSpec = Static<typeof SessionSpec>
