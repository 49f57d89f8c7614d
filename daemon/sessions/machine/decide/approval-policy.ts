import { type Approval, type ApprovalOptions, limits } from '../../../../protocol/index.ts'
import type { Resolution } from '../fold/resolution.ts'

/** Decides questions without a person. Pure: the caller supplies the time, the rules and who is connected. */

/**
 * Returns what a session's rules and policy decide about a question; undefined if a person has to answer it. `denying`
 * is the rule that denies the tool. The agent enforces the rules itself, so it asks about a denied tool only if the
 * rule is newer than the question. The policy does not deny a question that an `ask` rule requires.
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

/** Returns the resolution of a question beyond `limits.maxOpenApprovals`. A person would not reach it. */
export const tooMany = (): Resolution =>
  denied(
    'too many open questions',
    `${limits.maxOpenApprovals} questions of this session already await an answer. Ask again when they are answered.`,
  )

/** The terms on which a question waits for a person. */
export interface DeadlineTerms {
  policy: ApprovalOptions['policy']
  /** The time since which no client that could answer is connected; undefined while one is. */
  unattendedSince: number | undefined
  /** How long a question waits without such a client; 0: for ever. */
  unattendedMs: number
  /** How long the computer has slept since `at`, in ms. A person could not connect in that time. */
  sleptSince(at: number): number
}

/** Returns when and how a question for a person is decided without one; undefined if never. */
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
