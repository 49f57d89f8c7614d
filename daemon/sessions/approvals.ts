import { type Actor, type Approval, type ApprovalAnswer, limits, type Session } from '../../protocol/index.ts'
import { permissionLine } from '../agents/claude/control.ts'
import type { QuestionAnswer } from '../agents/agent.ts'
import {
  BadPermissionRule,
  parsePermissionRules,
  type PermissionRule,
  ruleNaming,
} from '../agents/claude/permission-rules.ts'
import { startDeadline } from '../os/deadline.ts'
import type { KeepAnswer } from '../rpc/idempotency.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { sleepWatch } from '../os/sleep.ts'
import type { StoredApproval } from '../store/store.ts'
import { resolutionOf } from './approval-answer.ts'
import { deadlineOf, judge, tooMany } from './approval-policy.ts'
import type { Conversation } from './conversation.ts'
import type { Resolution } from './machine/resolution.ts'
import type { SessionContext } from './session-context.ts'

/**
 * The half of a session's approvals that acts: it lets policies decide, keeps the deadlines, takes answers
 * and brings them to Claude Code, each when it is stored. `questions.ts` is the half that writes.
 */
export interface Approvals {
  /** Questions may have come or gone: decides what needs nobody, and waits for the rest. */
  review(): void
  /** The session's rules or its policy are others now: what is open is judged by them. */
  reconsider(): void
  /** A client's answer; undefined when nothing of this session is asked under that id (any more). */
  answer(answer: ApprovalAnswer, by: Actor, keep?: KeepAnswer): Approval | undefined
  /** Sends again what may not have been sent; what was is known where it arrives. */
  sendAgain(answered: readonly StoredApproval[]): void
  /** Decides nothing any more, and leaves open what is. */
  stop(): void
}

export interface ApprovalsOptions extends Pick<SessionContext, 'operatorPresence' | 'config' | 'log'> {
  conversation: Conversation
  /** Something was decided, and is to be stored; with `keep`, together with the answer of the call. Throws when it cannot be. */
  decided(approval: Approval, keep: KeepAnswer | undefined): void
  /** A client's denial ends the run: `request` writes so before it is stored, `bringAbout` acts when it has been sent. */
  interrupted: { request(approval: Approval): void; bringAbout(approval: Approval): void }
  /** To the process, where there is one. */
  send(line: string, lineId: string): void
  /** There is a process that awaits answers. */
  isListening(): boolean
}

export function createApprovals(options: ApprovalsOptions): Approvals {
  const { operatorPresence, config, conversation, log } = options
  const { questions } = conversation
  let rules = readRules(conversation.record)
  let cancelDeadline = () => {}
  let leave: (() => void) | undefined
  // What nobody but people can decide.
  let left = new WeakSet<StoredApproval>()
  let stopped = false

  function review() {
    if (stopped) return
    if (options.isListening()) {
      const isLeft = (question: StoredApproval) => left.has(question)
      let waiting = questions.open.filter(isLeft).length
      for (const question of questions.open) {
        if (isLeft(question) || conversation.cancellerOf(question.approval)) continue
        const resolution =
          judge(question.approval, conversation.record.approvals ?? {}, denyingRule(question.approval)) ??
          (waiting < limits.maxOpenApprovals ? undefined : tooMany())
        if (resolution) decide(question, resolution)
        else {
          left.add(question)
          waiting++
        }
      }
    }
    wait()
  }

  const denyingRule = ({ tool }: Approval) => ruleNaming(rules, 'deny', tool)?.text

  /** Until the first deadline, or until somebody comes or goes. */
  function wait() {
    cancelDeadline()
    const policy = conversation.record.approvals?.policy
    const { sleptSince } = sleepWatch
    const { emptySince: unattendedSince } = operatorPresence
    const patience = { policy, unattendedSince, unattendedMs: config.unattendedMs, sleptSince }
    let next = Infinity
    for (const question of questions.open) {
      const deadline = left.has(question) ? deadlineOf(question.approval, patience) : undefined
      if (!deadline) continue
      if (deadline.at <= Date.now()) decide(question, deadline.resolution)
      else next = Math.min(next, deadline.at)
    }
    if (questions.open.length === 0) {
      leave?.()
      leave = undefined
      return
    }
    leave ??= operatorPresence.onChange(review)
    if (next < Infinity) cancelDeadline = startDeadline(next, review)
  }

  /** What cannot be stored is not sent; what that means for the session is seen to where it is stored. */
  function decide(question: StoredApproval, resolution: Resolution) {
    // One before it may have failed, and all of the session with it.
    if (!questions.open.includes(question)) return
    try {
      settle(question, resolution, undefined)
    } catch (error) {
      log.info('an approval was not stored', { approval: question.approval.approval, error })
    }
  }

  function settle(question: StoredApproval, resolution: Resolution, keep: KeepAnswer | undefined): Approval {
    const resolved = questions.resolve(question, resolution, Date.now())
    const endsRun = resolution.answer?.behavior === 'deny' && resolution.answer.interrupt === true
    if (endsRun) options.interrupted.request(resolved.approval)
    options.decided(resolved.approval, keep)
    send(resolved)
    if (endsRun) options.interrupted.bringAbout(resolved.approval)
    return resolved.approval
  }

  function send({ approval, requestId, answer }: StoredApproval) {
    if (answer === null) return
    const line = permissionLine(requestId, JSON.parse(answer) as QuestionAnswer, approval.input)
    options.send(line, `answer-${approval.approval}`)
  }

  return {
    review,

    reconsider() {
      rules = readRules(conversation.record)
      left = new WeakSet()
      review()
    },

    answer(answer, by, keep) {
      const question = questions.open.find(({ approval }) => approval.approval === answer.approval)
      if (!question) return undefined
      const canceller = conversation.cancellerOf(question.approval)
      if (canceller) throw cameTooLate({ ...question.approval, decision: 'withdrawn', by: canceller })
      const approval = settle(question, resolutionOf(question.approval, answer, by), keep)
      wait()
      return approval
    },

    sendAgain(answered) {
      for (const question of answered) send(question)
    },

    stop() {
      stopped = true
      cancelDeadline()
      leave?.()
    },
  }
}

/** Somebody else, or something, was first. */
export function cameTooLate({ approval, decision, by }: Approval): RpcError {
  const who = by === undefined ? '' : ` by ${'policy' in by ? by.policy : by.name}`
  const what = { allow: 'allowed', deny: 'denied', expired: 'expired', withdrawn: 'withdrawn' }[decision ?? 'withdrawn']
  return new RpcError('conflict', `approval ${approval} was ${what}${who} before this answer came`, {
    approval,
    decision,
    ...(by && { by }),
  })
}

/** Of an older muxd some may be rules no longer: a process does not start with them, and each other one counts. */
function readRules({ approvals, cwd }: Session): PermissionRule[] {
  return (approvals?.rules ?? []).flatMap(text => {
    try {
      return parsePermissionRules([text], cwd)
    } catch (error) {
      if (error instanceof BadPermissionRule) return []
      throw error
    }
  })
}
