import { type Approval, type ApprovalOptions, limits } from '../../../protocol/index.ts'
import type { Resolution } from './resolution.ts'

/** Decides questions without a person. Pure: the caller knows the time, the rules and who is connected. */

/**
 * Returns what a session's rules and policy decide about a question; undefined if a person has to answer it. `denying` is
 * the rule that denies the tool. The agent enforces the rules itself: it asks about such a tool only if the rule is newer
 * than the question. The policy does not deny a question that a rule wants asked.
 */
export function judge(
  { tool, decisionReasonType, askRule }: Approval,
  { policy }: Pick<ApprovalOptions, 'policy'>,
  denying: string | undefined,
): Resolution | undefined {
  if (denying !== undefined) return denied(denying, `The rule "${denying}" of this session denies this.`)
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
export interface DeadlineTerms {
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
  { policy, unattendedSince, unattendedMs, sleptSince }: DeadlineTerms,
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
