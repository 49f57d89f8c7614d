import { Type, type Static } from 'typebox'
import { Actor, ApprovalId, RunId, SessionId } from './ids.ts'
import { limits } from './limits.ts'

/** `question`: Claude asks the user to choose (`AskUserQuestion`). `plan`: it wants to leave plan mode (`ExitPlanMode`). */
export const ApprovalKind = Type.Enum(['tool', 'question', 'plan'])
export type ApprovalKind = Static<typeof ApprovalKind>

/**
 * `expired`: nobody answered in time, and Claude was told no. `withdrawn`: an answer would come too late, because Claude
 * Code took the question back, the run was cancelled or has ended, or the process is gone.
 */
export const ApprovalDecision = Type.Enum(['allow', 'deny', 'expired', 'withdrawn'])
export type ApprovalDecision = Static<typeof ApprovalDecision>

/** Who decided: a client, or without one a policy or a rule of the session that denies the tool, by its name. */
export const Decider = Type.Union([Actor, Type.Object({ policy: Type.String() })])
export type Decider = Static<typeof Decider>

/**
 * Why Claude Code asks, each part where it tells. `decisionReasonType` is its word (`rule`, `hook`, `workingDir`,
 * `safetyCheck` …), `askRule` the rule that made it ask, `blockedPath` a path outside of the allowed directories. Hints
 * for whoever shows the question: `defaultToNo`: allowing takes more than one keystroke, and is not preselected;
 * `requiresUserInteraction`: only a person may answer; `suppressAlwaysAllowRule`: do not offer to remember the answer.
 */
export const ApprovalReason = Type.Object({
  title: Type.Optional(Type.String()),
  decisionReason: Type.Optional(Type.String()),
  decisionReasonType: Type.Optional(Type.String()),
  askRule: Type.Optional(Type.String()),
  blockedPath: Type.Optional(Type.String()),
  mcpServer: Type.Optional(Type.String()),
  defaultToNo: Type.Optional(Type.Boolean()),
  requiresUserInteraction: Type.Optional(Type.Boolean()),
  suppressAlwaysAllowRule: Type.Optional(Type.Boolean()),
})
export type ApprovalReason = Static<typeof ApprovalReason>

/**
 * A question of Claude Code's that somebody has to answer: may this tool be used, which option, is this plan good?
 * `input` is the tool's, `suggestions` are the permission updates that Claude Code offers to remember, `parent` the tool
 * use id of the sub-agent's call. `run` is null for one that came between runs. From `decision` on it is there once
 * `resolved`; `by` is absent where Claude Code itself took the question back, or time did.
 */
export const Approval = Type.Object({
  approval: ApprovalId,
  session: SessionId,
  run: Type.Union([RunId, Type.Null()]),
  kind: ApprovalKind,
  tool: Type.String(),
  input: Type.Unknown(),
  toolUseId: Type.String(),
  parent: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  suggestions: Type.Optional(Type.Array(Type.Unknown())),
  ...ApprovalReason.properties,
  state: Type.Enum(['pending', 'resolved']),
  requestedAt: Type.Integer(),
  expiresAt: Type.Union([Type.Integer(), Type.Null()]),
  decision: Type.Optional(ApprovalDecision),
  by: Type.Optional(Decider),
  message: Type.Optional(Type.String()),
  resolvedAt: Type.Optional(Type.Integer()),
})
export type Approval = Static<typeof Approval>

/**
 * What becomes of a session's questions.
 *
 * - `rules`: `deny WebFetch`, `ask Bash(git push *)`, `allow Bash(git status *)`, with tools and patterns as Claude Code
 *   writes them (docs/rules.md). Claude Code enforces them: deny before ask before allow. A rule that it would ignore is
 *   refused, and so is one that allows a question or a plan.
 * - `policy` decides what Claude Code asks. `deny`: no, unless a rule says to ask. `ask`: somebody is asked, however long
 *   it takes. Absent: somebody is asked, but it is no after a while in which no control client was connected.
 * - `expiresAfterMs`: an unanswered question is denied after so long.
 */
export const ApprovalOptions = Type.Object({
  policy: Type.Optional(Type.Enum(['ask', 'deny'])),
  rules: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: limits.maxRuleLength }), { maxItems: limits.maxRules }),
  ),
  expiresAfterMs: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxExpiresAfterMs })),
})
export type ApprovalOptions = Static<typeof ApprovalOptions>

/**
 * What may be said to a question. `message` tells Claude why not, `interrupt` also ends its turn: both with `deny`. With
 * `allow`, `input` replaces the tool's, and `remember` gives the permissions that `suggestions` hold as long as the
 * session's process lives. `answers` go with `allow` for a `question`: by the question's text the chosen label, or the user's own words;
 * a list where several may be chosen.
 */
export const ApprovalAnswer = Type.Object({
  approval: ApprovalId,
  decision: Type.Enum(['allow', 'deny']),
  message: Type.Optional(Type.String({ maxLength: limits.maxDenialLength })),
  input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  answers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]))),
  remember: Type.Optional(Type.Boolean()),
  interrupt: Type.Optional(Type.Boolean()),
})
export type ApprovalAnswer = Static<typeof ApprovalAnswer>
