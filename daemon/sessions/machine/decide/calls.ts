import { isHarder } from '../fold/end-request.ts'
import { cameTooLate, stopping, unusable } from './call-errors.ts'
import type { CallResult } from '../effect.ts'
import type { ClientCall } from '../input.ts'
import { decide, effect, endInput, isIdle, refuse, type Work } from '../machine.ts'
import { cancellerOf } from '../fold/questions.ts'
import { goingRun, queuedRunOf } from '../fold/state.ts'

/** Decides a call. `react` does what follows from it. */
export function decideCall(w: Work, call: ClientCall): void {
  const { s, v } = w
  v.forgotten = false
  // The idle time of the process restarts.
  if (call.input !== 'end_idle') v.idleSince = undefined
  const problem = problemOf(w, call)
  if (problem) return refuse(w, call.call, problem)
  switch (call.input) {
    case 'enqueue': {
      const { input: _, call: number, ...run } = call
      decide(w, { act: 'queued', ...run })
      return answer(w, number, { run: queuedRunOf(s, run.run)!.run })
    }
    case 'move':
      return move(w, call)
    case 'cancel':
      return cancel(w, call)
    case 'answer':
      return answerQuestion(w, call)
    case 'update': {
      const { call: number, changes, by } = call
      const idle = { process: null, request: null, answer: null, modeBefore: 'default', refusal: null }
      v.jobs = [...v.jobs, { job: 'update', call: number, changes, by, stage: 'wait', ...idle }]
      return
    }
    case 'use':
      decide(w, { act: 'used' })
      return answer(w, call.call, { session: true })
    case 'close':
      v.jobs = [...v.jobs, { job: 'close', call: call.call, sweep: call.sweep, stage: 'end' }]
      return
    case 'end_idle': {
      const ended = isIdle(w)
      if (ended) endInput(w)
      return answer(w, call.call, { ended })
    }
    default:
      call satisfies never
  }
}

function problemOf({ s, v }: Work, { input }: ClientCall) {
  if (input === 'close' || input === 'end_idle' || input === 'use') return undefined
  if (v.mode === 'stopping' && (input === 'enqueue' || input === 'answer' || input === 'update')) return stopping
  return unusable(s)
}

function move(w: Work, { call, run, to, by }: Extract<ClientCall, { input: 'move' }>): void {
  const { s } = w
  const before = s.queue.findIndex(each => each.run.run === run)
  const position = Math.min(to, s.queue.length - 1)
  if (before >= 0 && position !== before) decide(w, { act: 'moved', run, to: position, by })
  answer(w, call, { run: queuedRunOf(s, run)?.run ?? null })
}

/** An equal or weaker request changes nothing. */
function cancel(w: Work, { call, run, mode, reason, by }: Extract<ClientCall, { input: 'cancel' }>): void {
  const { s } = w
  const before = goingRun(s, run)
  const found = queuedRunOf(s, run) ?? before?.stored
  if (!found) return answer(w, call, { run: null })
  if (before?.cancel && !isHarder(mode, before.cancel.mode)) decide(w, { act: 'used' })
  else decide(w, { act: 'cancel', run, by, mode, ...(reason !== undefined && { reason }) })
  answer(w, call, { run: found.run })
}

/** The first valid answer counts. Once the run is being cancelled, every answer is too late. */
function answerQuestion(w: Work, { call, approval, resolution }: Extract<ClientCall, { input: 'answer' }>): void {
  const { s } = w
  const question = s.open.find(each => each.approval.approval === approval)
  if (!question) return answer(w, call, { approval: null })
  const canceller = cancellerOf(s, question.approval)
  if (canceller) return refuse(w, call, cameTooLate({ ...question.approval, decision: 'withdrawn', by: canceller }))
  decide(w, { act: 'resolved', approval, resolution })
  const resolved = w.out.resolved.find(each => each.approval.approval === approval)
  answer(w, call, { approval: resolved?.approval ?? null })
}

const answer = (w: Work, call: number, result: CallResult): void =>
  effect(w, { effect: 'answer', call, result, after: 'commit' })
