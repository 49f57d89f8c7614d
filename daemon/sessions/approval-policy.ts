import { type Approval, type ApprovalOptions, limits } from '../../protocol/index.ts'
import { type PermissionRule, ruleNaming } from '../agents/claude/permission-rules.ts'
import type { Resolution } from './questions.ts'

/** What is decided without anybody, and when. Pure: who asks knows the time, the rules and who is connected. */

/**
 * What a session's rules and its policy make of a question; undefined where somebody is to be asked. Claude Code enforces
 * the rules: it asks about a tool that a rule denies only where the rule came after the question. The policy does not
 * deny what a rule says to ask about.
 */
export function judge(
  { tool, decisionReasonType, askRule }: Approval,
  { policy }: ApprovalOptions,
  rules: readonly PermissionRule[],
): Resolution | undefined {
  const denying = ruleNaming(rules, 'deny', tool)
  if (denying) return denied(denying.text, `The rule "${denying.text}" of this session denies this.`)
  const isAskedByRule = decisionReasonType === 'rule' || askRule !== undefined
  if (policy !== 'deny' || isAskedByRule) return undefined
  return denied('deny', `Nobody is asked in this session: what it needs (${tool}) has to be allowed beforehand.`)
}

/** For a question beyond `limits.maxOpenApprovals`: so many wait that nobody would reach it. */
export const tooMany = (): Resolution =>
  denied(
    'too many open questions',
    `${limits.maxOpenApprovals} questions of this session already await an answer. Ask again when they are answered.`,
  )

/** How long people are waited for. */
export interface Patience {
  policy: ApprovalOptions['policy']
  /** Since when nobody who could answer has been connected; undefined while somebody is. */
  unattendedSince: number | undefined
  /** How long nobody may be connected; 0: for ever. */
  unattendedMs: number
  /** While the machine slept, nobody could come. */
  sleptSince(at: number): number
}

/** When a question that somebody is asked is decided without them, and how; undefined when never. */
export function deadlineOf(
  { requestedAt, expiresAt }: Approval,
  { policy, unattendedSince, unattendedMs, sleptSince }: Patience,
): { at: number; resolution: Resolution } | undefined {
  const isLeftAlone = policy !== 'ask' && unattendedMs > 0 && unattendedSince !== undefined
  const since = isLeftAlone ? Math.max(unattendedSince, requestedAt) : Infinity
  const leftAt = since + unattendedMs + (isLeftAlone ? sleptSince(since) : 0)
  if (expiresAt !== null && expiresAt <= leftAt) return { at: expiresAt, resolution: expired }
  return isLeftAlone ? { at: leftAt, resolution: unattended } : undefined
}

const denied = (policy: string, message: string): Resolution => ({
  decision: 'deny',
  by: { policy },
  message,
  answer: { behavior: 'deny', message },
})

const tooLate = 'Nobody answered in time.'
const expired: Resolution = {
  decision: 'expired',
  message: tooLate,
  answer: { behavior: 'deny', message: tooLate },
}
const unattended = denied('nobody connected', 'Nobody is connected who could be asked for permission.')
