import { Type, type Static } from 'typebox'
import { secret } from './secret.ts'

/**
 * The options with which a session starts Claude Code. `env` is added to the daemon's environment. `args` are further
 * command-line arguments; they and `permissionMode: bypassPermissions` work only if the configuration allows them.
 *
 * The values of `mcpConfig`, `settings`, `env` and `args` may be secrets. They are `[masked]` everywhere except in the
 * answer of `session.get` to the control role. The names of variables and the number of entries stay visible.
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

/** The kinds of agents that muxd has, each with the schema of its options. `claude` is Claude Code. */
export const agents = { claude: ClaudeOptions } as const

/** A kind of agent: the program that a session runs. The daemon refuses a kind that it does not have. */
export const AgentKind = Type.String({ maxLength: 64 })
export type AgentKind = Static<typeof AgentKind>

type KnownKind = keyof typeof agents

/** The agent of a session whose creator named none. */
export const defaultAgent = 'claude' satisfies KnownKind

/** The options of an agent of this kind. */
export type AgentOptions<Kind extends KnownKind = KnownKind> = Static<(typeof agents)[Kind]>

/** An agent that the daemon can start: its program, and the version that the program reports. */
export const AvailableAgent = Type.Object({ kind: AgentKind, path: Type.String(), version: Type.String() })
export type AvailableAgent = Static<typeof AvailableAgent>

/** The agent of a new session and its options, which are those of its kind. */
export type AgentChoice = {
  [Kind in KnownKind]: (Kind extends typeof defaultAgent ? { agent?: Kind } : { agent: Kind }) & {
    options?: AgentOptions<Kind>
  }
}[KnownKind]
