import { limits } from '../../../../protocol/limits.ts'
import type { Answer, Command } from '../../../agents/agent.ts'
import { concernsProcess } from '../fold/changes.ts'
import { refused, stopping, unanswered, workGoesOn } from './call-errors.ts'
import type { CallError } from '../effect.ts'
import { decide, effect, endInput, newId, refuse, send, undelivered, type Work } from '../machine.ts'
import { mayHaveRules } from './outbox.ts'
import type { CloseJob, LiveProcess, UpdateJob } from '../volatile.ts'

/** Does the calls that wait for the agent or for the end of the process, one at a time and in their order. */
export function doJobs(w: Work): void {
  const { v } = w
  for (;;) {
    const [first] = v.jobs
    if (!first) return
    const isDone = first.job === 'update' ? update(w, first) : close(w, first)
    if (!isDone) return
    v.jobs = v.jobs.filter(job => job !== first)
  }
}

/**
 * Closes the session when its process has ended, which `closeProcess` brings about. With `sweep`, first ends the
 * processes that the session's processes have left behind.
 */
function close(w: Work, job: CloseJob): boolean {
  const { s, v } = w
  if (v.process || v.clearing.length > 0) return false
  if (job.sweep && s.session.left) {
    if (job.stage === 'end') effect(w, { effect: 'end_left' })
    job.stage = 'sweep'
    return false
  }
  decide(w, { act: 'closed' })
  effect(w, { effect: 'answer', call: job.call, result: { session: true }, after: 'published' })
  return true
}

/**
 * Makes a change in stages. First the live process has to agree to the mode, the rules and the model, one after the
 * other. A change of the conversation then waits for the end of the process. At last the change is stored. A process
 * that ends meanwhile counts as agreed, because the next one starts with the change. After a refusal the process gets
 * the old mode again, and `giveRules` sends the old rules.
 */
function update(w: Work, job: UpdateJob): boolean {
  for (;;) {
    const { stage } = job
    const outcome = stages[stage](w, job)
    if (outcome === 'waits') return false
    if (outcome === 'done') return true
    if (typeof outcome !== 'string') {
      finish(w, job, false)
      refuse(w, job.call, outcome)
      return true
    }
    job.stage = outcome
  }
}

type Stage = UpdateJob['stage']
type StageOutcome = Stage | 'waits' | 'done' | CallError

const stages: Record<Stage, (w: Work, job: UpdateJob) => StageOutcome> = {
  wait(w, job) {
    const { s, v } = w
    if (!concernsProcess(job.changes) || v.mode === 'stopping') return 'leave'
    const { process } = v
    // A process that is being started has the old options.
    if (process?.phase === 'preparing' || process?.phase === 'starting' || process?.phase === 'catching_up')
      return 'waits'
    if (process?.phase !== 'live' || process.closing) return 'leave'
    if (undelivered(w)) return 'waits'
    job.process = process.id
    job.modeBefore = s.session.permissionMode ?? s.session.options.permissionMode ?? 'default'
    return 'mode'
  },

  mode(w, job) {
    const { permissionMode: mode } = job.changes
    if (mode === undefined) return 'rules'
    const answer = ask(w, job, requestId => ({ command: 'setMode', requestId, mode }))
    if (answer === 'waits') return 'waits'
    if (answer === 'gone') return 'leave'
    if (answer === 'late') return unanswered(limits.updateTimeoutMs)
    if (answer.ok) return 'rules'
    if (!w.agent.needsNewProcess(answer)) return refused('permissionMode', mode, answer.error)
    const conflict = workGoesOn(w.s, 'it has to be started anew for this mode')
    if (!conflict) endInput(w)
    return conflict ?? 'leave'
  },

  rules(w, job) {
    const { approvals } = job.changes
    const process = asked(w, job)
    if (!approvals) return 'model'
    if (!process) return 'leave'
    if (process.rules === 'asked') return 'waits'
    process.rules = 'changing'
    const { rules = [] } = approvals
    if (rules.length === 0 && !mayHaveRules(w)) return 'model'
    process.gaveRules = true
    const { cwd } = w.s.session
    const answer = ask(w, job, requestId => ({ command: 'setRules', requestId, rules, cwd }), 'rules-')
    if (answer === 'waits') return 'waits'
    if (answer === 'gone') return 'leave'
    if (answer === 'late') return unanswered(limits.updateTimeoutMs)
    return answer.ok ? 'model' : revert(job, refused('approvals', rules, answer.error))
  },

  model(w, job) {
    const { model } = job.changes
    if (model === undefined) return 'leave'
    const answer = ask(w, job, requestId => ({ command: 'setModel', requestId, model }))
    if (answer === 'waits') return 'waits'
    if (answer === 'gone') return 'leave'
    if (answer === 'late') return unanswered(limits.updateTimeoutMs)
    return answer.ok ? 'leave' : revert(job, refused('model', model, answer.error))
  },

  revert(w, job) {
    const answer = ask(w, job, requestId => ({ command: 'setMode', requestId, mode: job.modeBefore }))
    return answer === 'waits' ? 'waits' : job.refusal!
  },

  leave(w, job) {
    const { s, v } = w
    if (job.changes.conversationId !== null) return 'store'
    const conflict = workGoesOn(s, 'its conversation cannot be given up now')
    if (conflict) return conflict
    if (!v.process && v.clearing.length === 0) return 'store'
    endInput(w)
    return 'waits'
  },

  store(w, job) {
    const { changes, by, call } = job
    if (w.v.mode === 'stopping') return stopping
    if (Object.keys(changes).length > 0) decide(w, { act: 'updated', changes, by })
    finish(w, job, true)
    effect(w, { effect: 'answer', call, result: { session: true }, after: 'published' })
    return 'done'
  },
}

/** Returns the process that the job asks, if it is still live. */
function asked({ v: { process } }: Work, job: UpdateJob): LiveProcess | undefined {
  return process?.id === job.process && process.phase === 'live' ? process : undefined
}

function ask(
  w: Work,
  job: UpdateJob,
  command: (requestId: string) => Command,
  kind = 'request-',
): Answer | 'waits' | 'gone' | 'late' {
  const { answer, request } = job
  if (answer) {
    job.answer = null
    job.request = null
    return answer
  }
  const process = asked(w, job)
  if (!process || w.v.mode === 'stopping') {
    job.request = null
    return 'gone'
  }
  if (request) return request.at + limits.updateTimeoutMs <= w.time ? 'late' : 'waits'
  if (process.closing) return 'gone'
  const requestId = newId(w, kind)
  job.request = { requestId, at: w.time }
  send(w, requestId, command(requestId))
  return 'waits'
}

/** Restores the mode, if the process has agreed to a new one, before the call is refused. */
function revert(job: UpdateJob, refusal: CallError): StageOutcome {
  if (job.changes.permissionMode === undefined) return refusal
  job.refusal = refusal
  return 'revert'
}

/** Notes whether the process has the session's rules. If the change was not stored, it gets the stored ones again. */
function finish(w: Work, job: UpdateJob, isStored: boolean): void {
  const process = asked(w, job)
  if (process?.rules === 'changing') process.rules = isStored ? 'held' : 'unknown'
}

/** Hands an answer of the agent to the job that waits for it. Returns false if no job does. */
export function jobAnswered({ v }: Work, answer: Answer): boolean {
  const [job] = v.jobs
  if (job?.job !== 'update' || job.request?.requestId !== answer.requestId) return false
  job.answer = answer
  return true
}

/** Returns when the request that a job waits for counts as unanswered. */
export function jobDeadline({ v }: Pick<Work, 'v'>): number | undefined {
  const [job] = v.jobs
  return job?.job === 'update' && job.request ? job.request.at + limits.updateTimeoutMs : undefined
}
