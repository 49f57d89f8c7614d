import { limits } from '../../../../protocol/limits.ts'
import { decide, effect, endInput, listening, newId, send, undelivered, type Work } from '../machine.ts'
import { rulesRequest } from '../fold/request-ids.ts'
import type { Answer } from '../../../agents/agent.ts'

/**
 * Sends every due line that was not sent in this life of the machine. After a restart that is everything whose delivery
 * is unknown; the pty-host drops the lines that it has already written.
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

/** Sends answers to questions. Called before an interrupt, because an answer behind it would come too late. */
export function sendAnswers(w: Work): void {
  if (!listening(w)) return
  for (const { approval, requestId, answer, input } of w.s.answered) {
    const key = `answer-${approval}`
    if (answer) send(w, key, { command: 'answer', approval, requestId, answer, input })
    else send(w, key, { command: 'withdraw', approval, requestId })
  }
}

/**
 * Sends the session's permission rules to the process, which enforces them. The prompt waits for the answer. A daemon
 * that has taken a process over does not know which rules the process has, and sends the stored ones.
 */
export function giveRules(w: Work): void {
  const { agent, s, time } = w
  const process = listening(w)
  if (!process || !s.process) return
  const request = process.rulesRequest
  if (process.rules === 'asked' && request && request.at + limits.updateTimeoutMs <= time)
    rulesRefused(w, `the agent did not answer within ${limits.updateTimeoutMs / 1_000} s`)
  // If the rules were refused while no prompt waited, they are sent again before the next prompt.
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

/** Handles the agent's answer to a request that carried rules. */
export function rulesAnswered(w: Work, answer: Answer): void {
  const { process } = w.v
  if (!process || process.rules === 'changing') return
  const isOurs = process.rulesRequest?.requestId === answer.requestId
  // The request is an earlier daemon's, and its rules may differ from the session's.
  if (!isOurs) process.rules = process.rules === 'asked' ? 'asked' : 'unknown'
  else if (answer.ok) process.rules = 'held'
  else rulesRefused(w, answer.error)
}

/** Ends the run whose prompt waits for the rules, and the process: a prompt is never sent without them. */
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
