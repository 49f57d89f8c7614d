import { limits } from '../../../protocol/limits.ts'
import { decide, effect, endInput, listening, newId, send, undelivered, type Work } from './machine.ts'
import { rulesRequest } from './request-ids.ts'
import type { Answer } from '../../agents/agent.ts'

/**
 * Sends what the process should have and was not sent in this life of the machine. After a restart that is everything
 * whose arrival is unknown; the pty-host drops the lines that it has written before.
 */
export function outbox(w: Work): void {
  const { s } = w
  const process = listening(w)
  if (!process || !s.process) return
  send(w, 'first', { command: 'first' })
  for (const { lineId, line } of s.process.replies) {
    if (process.sent.has(lineId)) continue
    process.sent.add(lineId)
    effect(w, { effect: 'send', process: process.id, lineId, line })
  }
  sendAnswers(w)
  const run = undelivered(w)
  if (!run || process.rules !== 'held') return
  const { promptUuid: id, run: record } = run.stored
  if (id !== null) send(w, id, { command: 'prompt', id, text: record.prompt })
}

/** Behind an interrupt an answer would come too late: a denial that interrupts is sent first. */
export function sendAnswers(w: Work): void {
  if (!listening(w)) return
  for (const { approval, requestId, answer, input } of w.s.answered) {
    const key = `answer-${approval}`
    if (answer) send(w, key, { command: 'answer', approval, requestId, answer, input })
    else send(w, key, { command: 'withdraw', approval, requestId })
  }
}

/**
 * Gives the process the session's permission rules, which it enforces. The prompt waits for its answer. A daemon that has
 * taken a process over does not know which rules it has, and gives it the stored ones.
 */
export function giveRules(w: Work): void {
  const { agent, s, time } = w
  const process = listening(w)
  if (!process || !s.process) return
  const request = process.rulesRequest
  if (process.rules === 'asked' && request && request.at + limits.updateTimeoutMs <= time)
    rulesRefused(w, `the agent did not answer within ${limits.updateTimeoutMs / 1_000} s`)
  // Refused without a prompt that waited: tried again with the next prompt.
  const isDue = process.rules === 'unknown' || (process.rules === 'refused' && undelivered(w))
  if (!isDue) return
  const { approvals, cwd } = s.session
  const rules = approvals?.rules ?? []
  if (rules.length === 0 && !mayHaveRules(w)) {
    process.rules = 'held'
    return
  }
  const bad = agent.badRule(rules, cwd)
  if (bad) return rulesRefused(w, bad.problem)
  const requestId = newId(w, `${rulesRequest}-`)
  process.rules = 'asked'
  process.rulesRequest = { requestId, at: time }
  process.gaveRules = true
  send(w, requestId, { command: 'setRules', requestId, rules, cwd })
}

/** Whether the process was given rules, by this daemon or an earlier one. */
export const mayHaveRules = ({ s, v }: Pick<Work, 's' | 'v'>): boolean =>
  v.process?.gaveRules === true || s.process?.wasGivenRules === true

/** The agent has answered a request that carried rules. */
export function rulesAnswered(w: Work, answer: Answer): void {
  const { process } = w.v
  if (!process || process.rules === 'changing') return
  const isOurs = process.rulesRequest?.requestId === answer.requestId
  // Of an earlier daemon: it carried rules that the session may not have.
  if (!isOurs) process.rules = process.rules === 'asked' ? 'asked' : 'unknown'
  else if (answer.ok) process.rules = 'held'
  else rulesRefused(w, answer.error)
}

/** Without its rules a session sends no prompt. */
function rulesRefused(w: Work, problem: string): void {
  const { process } = w.v
  process!.rules = 'refused'
  process!.rulesRequest = null
  const run = undelivered(w)
  if (!run) return
  const failure = w.agent.failure('rules_refused', problem)
  decide(w, { act: 'ended', run: run.stored.run.run, cause: 'refused', failure })
  endInput(w)
}
