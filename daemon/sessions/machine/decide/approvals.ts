import { limits } from '../../../../protocol/limits.ts'
import type { Approval } from '../../../../protocol/index.ts'
import { deadlineOf, judge, tooMany } from './approval-policy.ts'
import { decide, listening, type Machine, type Work } from '../machine.ts'
import { cancellerOf } from '../fold/questions.ts'
import type { Resolution } from '../fold/resolution.ts'
import { sleptSince } from '../volatile.ts'

/** Decides the questions that need no person: by rule, policy, number or time. */
export function review(w: Work): void {
  const { s, v, time } = w
  if (v.mode !== 'open' || !listening(w)) return
  let waiting = 0
  for (const { approval } of s.open) {
    // The agent is about to withdraw it.
    if (cancellerOf(s, approval)) continue
    const resolution =
      judgement(w, approval) ?? (waiting < limits.maxOpenApprovals ? undefined : tooMany()) ?? late(w, approval)
    if (resolution) decide(w, { act: 'resolved', approval: approval.approval, resolution })
    else waiting++
  }

  function late(m: Machine, approval: Approval): Resolution | undefined {
    const deadline = approvalDeadline(m, approval)
    return deadline && deadline.at <= time ? deadline.resolution : undefined
  }
}

function judgement({ agent, s }: Machine, approval: Approval): Resolution | undefined {
  const { approvals = {}, cwd } = s.session
  const denying = approvals.rules && agent.denyingRule(approvals.rules, cwd, approval.tool)
  return judge(approval, approvals, denying)
}

/** Returns when and how an open question is decided without a person; undefined if never. */
export function approvalDeadline({ s, v }: Pick<Machine, 's' | 'v'>, approval: Approval) {
  return deadlineOf(approval, {
    policy: s.session.approvals?.policy,
    unattendedSince: v.emptySince,
    unattendedMs: v.config.unattendedMs,
    sleptSince: at => sleptSince(v, at),
  })
}
