import { isHarder, type ReachedLimit, stepAfter } from './end-request.ts'
import type { LiveRun } from './live-run.ts'
import { decide, effect, isDelivered, type Machine, newId, send, type Work } from './machine.ts'
import { sendAnswers } from './outbox.ts'
import type { CancelStep } from '../../../protocol/index.ts'
import { graceOver, type LiveProcess, sleptSince } from './volatile.ts'

/**
 * Brings about the end that a client or a limit has asked of a run: `interrupt`, `SIGINT`, `SIGTERM`, `SIGKILL`, each only
 * if the step before had no effect within the grace time. A harder request jumps ahead.
 */
export function pursue(w: Work): void {
  const { s, v } = w
  const { process } = v
  const run = [s.active, s.background].find(each => each?.stored.run.state === 'cancelling')
  if (process?.pursuit && process.pursuit.run !== run?.stored.run.run) process.pursuit = null
  // The next daemon goes on with it.
  if (!run || v.mode === 'stopping') return
  if (process && process.phase !== 'live' && process.phase !== 'preparing' && process.phase !== 'starting') return
  if (process?.phase !== 'live' || !mayHavePrompt(process, run)) {
    // There is nothing to wait for. A process that is being started comes up all the same, and idles.
    return decide(w, { act: 'ended', run: run.stored.run.run, cause: 'unsent' })
  }
  const next = nextStep(w, process, run)
  if (next) takeStep(w, process, run, next)
}

/** A prompt that an earlier daemon has sent, perhaps, cannot be ended by nothing. */
const mayHavePrompt = (process: LiveProcess, run: LiveRun): boolean =>
  isDelivered(process, run) || process.maybeSent === run.stored.promptUuid

function nextStep({ v, time }: Work, { pursuit }: LiveProcess, run: LiveRun): CancelStep | undefined {
  const asked = run.pursued ?? 'interrupt'
  if (!pursuit || isHarder(asked, pursuit.step)) return asked
  return graceOver(v, pursuit.at, v.config.cancelGraceMs) <= time ? stepAfter(pursuit.step) : undefined
}

/** Announces a step that nobody has asked for before it is taken: what the process prints behind it is its end. */
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

/** Asks for the end of the turn; again if the agent says that its prompt was still queued. */
export function interrupt(w: Work, process: LiveProcess): void {
  if (process.closing) return
  sendAnswers(w)
  const requestId = newId(w, 'interrupt-')
  send(w, requestId, { command: 'interrupt', requestId })
}

/** A run that has hit a limit of its own is ended like a cancelled one, and fails. */
export function checkLimits(w: Work, knowsOutput: boolean): void {
  if (w.v.mode === 'stopping') return
  const due = limitOf(w)
  if (!due || due.at > w.time) return
  // What was printed and not read yet counts: only a tick asks for it.
  if (due.reached.limit === 'inactivityMs' && !knowsOutput) return
  decide(w, { act: 'limit', run: w.s.active!.stored.run.run, reached: due.reached })
}

/** The limit that the active run hits first, and when. */
export function limitOf({ s, v }: Pick<Machine, 's' | 'v'>): { reached: ReachedLimit; at: number } | undefined {
  const run = s.active
  const { process } = v
  if (!run || run.held || run.stored.run.state !== 'running') return undefined
  if (process && process.phase !== 'live' && process.phase !== 'preparing' && process.phase !== 'starting')
    return undefined
  // Its prompt is being sent again: an interrupt before it would have no effect.
  if (process && process.maybeSent === run.stored.promptUuid && !isDelivered(process, run)) return undefined
  const { limits, startedAt } = run.stored.run
  if (!limits || startedAt === null) return undefined
  const found: { reached: ReachedLimit; at: number }[] = []
  const { timeoutMs, inactivityMs } = limits
  if (timeoutMs !== undefined)
    found.push({ reached: { limit: 'timeoutMs', value: timeoutMs }, at: startedAt + timeoutMs })
  // While an approval waits, nothing can be expected of the process.
  if (inactivityMs !== undefined && s.open.length === 0) {
    const since = Math.max(startedAt, process?.printedAt ?? 0, s.process?.lastLineAt ?? 0, run.answeredAt ?? 0)
    const at = since + inactivityMs + sleptSince(v, since)
    found.push({ reached: { limit: 'inactivityMs', value: inactivityMs }, at })
  }
  return found.toSorted((one, other) => one.at - other.at)[0]
}
