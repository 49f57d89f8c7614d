import { isHarder, type ReachedLimit, stepAfter } from '../fold/end-request.ts'
import type { LiveRun } from '../fold/live-run.ts'
import { decide, effect, isDelivered, type Machine, newId, send, type Work } from '../machine.ts'
import { sendAnswers } from './outbox.ts'
import type { CancelStep } from '../../../../protocol/index.ts'
import { graceOver, type LiveProcess, sleptSince } from '../volatile.ts'

/**
 * Ends a run that a client has cancelled or that has hit a limit: `interrupt`, `SIGINT`, `SIGTERM`, `SIGKILL`, each
 * only if the step before had no effect within the grace time. A request for a harder step skips those before it.
 */
export function pursue(w: Work): void {
  const { s, v } = w
  const { process } = v
  const run = [s.active, s.background].find(each => each?.stored.run.state === 'cancelling')
  if (process?.pursuit && process.pursuit.run !== run?.stored.run.run) process.pursuit = null
  // `stop` ends all runs.
  if (!run || v.mode === 'stopping') return
  if (process && process.phase !== 'live' && process.phase !== 'preparing' && process.phase !== 'starting') return
  if (process?.phase !== 'live' || !mayHavePrompt(process, run)) {
    // The process does not have the prompt. A process that is being started comes up, and is idle then.
    return decide(w, { act: 'ended', run: run.stored.run.run, cause: 'unsent' })
  }
  const next = nextStep(w, process, run)
  if (next) takeStep(w, process, run, next)
}

/** Whether the process may have the prompt: from this daemon, or possibly from an earlier one. */
const mayHavePrompt = (process: LiveProcess, run: LiveRun): boolean =>
  isDelivered(process, run) || process.maybeSent === run.stored.promptUuid

function nextStep({ v, time }: Work, { pursuit }: LiveProcess, run: LiveRun): CancelStep | undefined {
  const asked = run.pursued ?? 'interrupt'
  if (!pursuit || isHarder(asked, pursuit.step)) return asked
  return graceOver(v, pursuit.at, v.config.cancelGraceMs) <= time ? stepAfter(pursuit.step) : undefined
}

/**
 * Takes a step. A step that no client requested becomes an act before it is taken. So recovery also knows that later
 * output comes from a signalled process.
 */
function takeStep(w: Work, process: LiveProcess, { stored, pursued }: LiveRun, step: CancelStep): void {
  const run = stored.run.run
  if (isHarder(step, pursued)) decide(w, { act: 'escalated', run, step })
  process.pursuit = { run, step, at: w.time }
  if (step === 'interrupt') return interrupt(w, process)
  process.closing = true
  process.signalled = true
  if (step === 'kill') return effect(w, { effect: 'kill', process: process.id })
  effect(w, { effect: 'signal', process: process.id, signal: step === 'sigint' ? 'SIGINT' : 'SIGTERM' })
}

/** Asks the agent to end the turn. Called again if the agent answers that the prompt was still queued. */
export function interrupt(w: Work, process: LiveProcess): void {
  if (process.closing) return
  sendAnswers(w)
  const requestId = newId(w, 'interrupt-')
  send(w, requestId, { command: 'interrupt', requestId })
}

/** Records that the active run has hit its own limit. The run is cancelled like any other, but ends as `failed`. */
export function checkLimits(w: Work, knowsOutput: boolean): void {
  if (w.v.mode === 'stopping') return
  const due = limitOf(w)
  if (!due || due.at > w.time) return
  // Unread output counts as activity. Only a tick asks the raw log for it.
  if (due.reached.limit === 'inactivityMs' && !knowsOutput) return
  decide(w, { act: 'limit', run: w.s.active!.stored.run.run, reached: due.reached })
}

/** Returns the limit that the active run hits first, and the time in ms since epoch. */
export function limitOf({ s, v }: Pick<Machine, 's' | 'v'>): { reached: ReachedLimit; at: number } | undefined {
  const run = s.active
  const { process } = v
  if (!run || run.held || run.stored.run.state !== 'running') return undefined
  if (process && process.phase !== 'live' && process.phase !== 'preparing' && process.phase !== 'starting')
    return undefined
  // The prompt has yet to be sent again. An interrupt before it would have no effect.
  if (process && process.maybeSent === run.stored.promptUuid && !isDelivered(process, run)) return undefined
  const { limits, startedAt } = run.stored.run
  if (!limits || startedAt === null) return undefined
  const found: { reached: ReachedLimit; at: number }[] = []
  const { timeoutMs, inactivityMs } = limits
  if (timeoutMs !== undefined)
    found.push({ reached: { limit: 'timeoutMs', value: timeoutMs }, at: startedAt + timeoutMs })
  // While a question is open, the process waits and prints nothing.
  if (inactivityMs !== undefined && s.open.length === 0) {
    const since = Math.max(startedAt, process?.printedAt ?? 0, s.process?.lastLineAt ?? 0, run.answeredAt ?? 0)
    const at = since + inactivityMs + sleptSince(v, since)
    found.push({ reached: { limit: 'inactivityMs', value: inactivityMs }, at })
  }
  return found.toSorted((one, other) => one.at - other.at)[0]
}
