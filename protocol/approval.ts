import { Type, type Static } from 'typebox'
import { Actor, ApprovalId, RunId, SessionId } from './ids.ts'
import { limits } from './limits.ts'

/**
 * The tool call that an approval is about. `tool`: Claude wants to use a tool. `question`: Claude asks the user to
 * choose (`AskUserQuestion`). `plan`: Claude wants to leave plan mode (`ExitPlanMode`).
 */
export const ApprovalKind = Type.Enum(['tool', 'question', 'plan'])
export type ApprovalKind = Static<typeof ApprovalKind>

/**
 * How an approval ended. `expired`: its time ran out without an answer, and muxd denied it. `withdrawn`: an answer can
 * have no effect any more, because Claude Code took the question back, the run was cancelled or has ended, or the
 * process is gone.
 */
export const ApprovalDecision = Type.Enum(['allow', 'deny', 'expired', 'withdrawn'])
export type ApprovalDecision = Static<typeof ApprovalDecision>

/**
 * The party that decided: a client, or the name of the policy or rule with which muxd denied the tool (`deny`, `nobody
 * connected`, `too many open questions`, `deny WebFetch`).
 */
export const Decider = Type.Union([Actor, Type.Object({ policy: Type.String() })])
export type Decider = Static<typeof Decider>

/**
 * Why Claude Code asks. A field is absent if Claude Code does not report it.
 *
 * - `decisionReasonType`: Claude Code's category (`rule`, `hook`, `workingDir`, `safetyCheck`, …).
 * - `askRule`: the rule that made Claude Code ask.
 * - `blockedPath`: a path outside the allowed directories.
 *
 * The other three are hints for the client that shows the question:
 *
 * - `defaultToNo`: do not preselect "allow", and do not accept it with a single keystroke.
 * - `requiresUserInteraction`: only a person may answer.
 * - `suppressAlwaysAllowRule`: do not offer to remember the answer; `remember` is refused with `invalid_params`.
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
 * A question of Claude Code that a client has to answer: may this tool be used, which option, is this plan good?
 *
 * - `run` is null for a question that Claude Code asked between runs.
 * - `input` is the input of the tool. `parent` is the tool use id of the call that started the sub-agent.
 * - `suggestions` are the permission updates that Claude Code offers to remember.
 * - `requestedAt`, `expiresAt` and `resolvedAt` are ms since epoch. `expiresAt` is null if the question does not
 *   expire.
 * - `decision`, `by`, `message` and `resolvedAt` appear once `state` is `resolved`. `by` is absent if the question
 *   expired, or was withdrawn for another reason than a cancel.
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
 * How a session's questions are decided.
 *
 * - `rules`: `deny WebFetch`, `ask Bash(git push *)`, `allow Bash(git status *)`, in Claude Code's own syntax
 *   (docs/rules.md). Claude Code enforces them: deny before ask before allow. A rule that Claude Code would ignore is
 *   refused with `invalid_params`, and so is a rule that allows a question or a plan.
 * - `policy` decides the questions that Claude Code asks. `deny`: muxd denies them, unless an `ask` rule caused the
 *   question. `ask`: they wait for a client without a time limit. Absent: they wait for a client, but muxd denies them
 *   after `unattendedMs` without a connected client that can answer.
 * - `expiresAfterMs`: muxd denies a question that has had no answer for this time (`expired`).
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
 * An answer to a question.
 *
 * With `deny`: `message` tells Claude the reason, and `interrupt` also ends its turn.
 *
 * With `allow`: `input` replaces the input of the tool. `remember` grants the permissions in `suggestions` for the
 * lifetime of the session's process. `answers` is for a `question`: it maps the text of each question to the chosen
 * label or the user's own words, or to a list where several may be chosen.
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
