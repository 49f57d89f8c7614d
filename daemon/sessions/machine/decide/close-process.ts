import { decide, effect, endInput, isEndable, isIdle, refuse, type Work } from '../machine.ts'
import { stopping } from './call-errors.ts'
import { isWorking } from '../fold/state.ts'
import { graceOver } from '../volatile.ts'

/** Ends a process that is not needed: closes its input, and sends SIGTERM and then SIGKILL if it does not end. */
export function closeProcess(w: Work): void {
  const { s, v, time } = w
  const { process } = v
  if (!process || !isEndable(w)) return
  const isClosed = v.jobs.some(({ job }) => job === 'close') && !isWorking(s)
  if (s.active?.held || isClosed) endInput(w)
  // It was signalled for a run that has ended since. It must still end, or the next run would wait for ever.
  if (process.closing && !process.ending && !process.pursuit) process.ending = { step: 'input_ended', at: time }
  if (!process.ending || time < graceOver(v, process.ending.at, v.config.resultGraceMs)) return
  process.forced = true
  process.signalled = true
  const isFirst = process.ending.step === 'input_ended'
  process.ending = { step: isFirst ? 'terminate' : 'kill', at: time }
  if (isFirst) effect(w, { effect: 'signal', process: process.id, signal: 'SIGTERM' })
  else effect(w, { effect: 'kill', process: process.id })
}

/** Ends the process because the daemon stops, then the runs that remain. */
export function stop(w: Work): void {
  const { s, v, time } = w
  const { process } = v
  if (v.mode !== 'stopping') return
  if (process && process.phase !== 'behind') {
    if (process.pid === null || process.phase === 'clearing' || process.forced) return
    // An idle process ends gracefully, so that its detached processes live on.
    if (!isWorking(s)) return endInput(w)
    process.closing = true
    process.forced = true
    process.signalled = true
    process.ending = { step: 'terminate', at: time }
    return effect(w, { effect: 'signal', process: process.id, signal: 'SIGTERM' })
  }
  const runs = [s.background?.stored, s.active?.stored, ...s.queue].filter(run => run !== undefined)
  for (const { run } of runs)
    decide(w, { act: 'ended', run: run.run, cause: 'lost', reason: v.stopReason ?? 'the daemon stopped' })
  if (v.stopped || v.clearing.length > 0) return
  v.stopped = true
  // Calls that wait for the end of a process whose output cannot be stored would wait for ever.
  for (const { call } of process ? v.jobs : []) refuse(w, call, stopping)
  if (process) v.jobs = []
  effect(w, { effect: 'stopped' })
}

/** Ends a process that has been idle for `idleCloseMs`. Forgets a session without a process and without work. */
export function scheduleIdle(w: Work): void {
  const { agent, s, v, time } = w
  const { process } = v
  if (v.mode !== 'open') return
  if (!process) {
    const isOver = !isWorking(s) && s.queue.length === 0 && v.jobs.length === 0 && v.clearing.length === 0
    if (isOver && !v.forgotten) effect(w, { effect: 'forget' })
    v.forgotten = isOver
    return
  }
  v.forgotten = false
  if (!isIdle(w)) {
    v.idleSince = undefined
    return
  }
  if (v.idleSince === undefined) {
    v.idleSince = time
    if (!process.closing) effect(w, { effect: 'process_idle' })
  }
  const isSpent = s.process?.oneShot === true || agent.servesOneRun(s.process?.limits)
  if (isSpent || time >= v.idleSince + v.config.idleCloseMs) endInput(w)
}
