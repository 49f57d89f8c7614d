import type { Approval, ApprovalOptions } from '../../protocol/index.ts'
import type { DecidedPermission } from '../claude/permission-rules.ts'
import type { Resolution } from './questions.ts'

/** What is decided without anybody, and when. Pure: who asks knows the time, the rules and who is connected. */

/**
 * What a session's rules (`ruled`) and its policy make of a question; undefined where somebody is to be asked. A
 * question and a plan are allowed by nothing: nobody would have chosen.
 */
export function judge(
  { kind, tool }: Approval,
  { policy }: ApprovalOptions,
  ruled: DecidedPermission | undefined,
): Resolution | undefined {
  if (ruled?.decision === 'deny') return denied(ruled.rule, `The rule "${ruled.rule}" of this session denies this.`)
  if (ruled?.decision === 'ask') return undefined
  if (ruled && kind === 'tool') {
    return { decision: 'allow', by: { policy: ruled.rule }, answer: { behavior: 'allow' } }
  }
  if (policy !== 'deny') return undefined
  return denied('deny', `Nobody is asked in this session: what it needs (${tool}) has to be allowed beforehand.`)
}

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
