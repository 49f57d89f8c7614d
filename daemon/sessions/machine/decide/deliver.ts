import { decide, effect, endInput, type Machine, newId, suits, type Work } from '../machine.ts'
import { isWorking } from '../fold/state.ts'
import { newLiveProcess } from '../volatile.ts'

/** Returns the session's slot when no run needs it, and lends it while the active run waits for an answer. */
export function keepSlot(w: Work): void {
  const { s, v } = w
  const { active } = s
  const isSpare = active === null && (v.slot === 'used' || v.slot === 'lent')
  const isVain = s.queue.length === 0 && (v.slot === 'asked' || v.slot === 'held')
  if (isSpare || isVain) {
    v.slot = 'none'
    v.waitingFor = undefined
    effect(w, { effect: 'give_slot' })
  }
  const isAsking = active !== null && s.open.some(({ approval }) => approval.run === active.stored.run.run)
  if (v.slot === 'used' && isAsking) {
    v.slot = 'lent'
    effect(w, { effect: 'lend_slot' })
  } else if (v.slot === 'lent' && !isAsking) {
    v.slot = 'used'
    effect(w, { effect: 'reclaim_slot' })
  }
}

/** Starts the first queued run when the session is free and has a slot, and a process for a run that needs one. */
export function deliver(w: Work): void {
  const { s, v } = w
  if (v.mode !== 'open' || s.session.unusable) return
  const { process } = v
  if (process?.phase === 'catching_up' || process?.phase === 'behind') return
  startFirst(w)
  const { active } = s
  if (active?.stored.run.state !== 'running' || v.process || s.process) return
  const { run, limits } = active.stored.run
  v.process = newLiveProcess(newId(w, 'p_'), 'preparing')
  effect(w, { effect: 'prepare', process: v.process.id, run, ...(limits && { limits }) })
}

function startFirst(w: Work): void {
  const { s, v } = w
  const [first] = s.queue
  if (!first || isWorking(s)) {
    v.backgroundSince = undefined
    return
  }
  if (v.slot === 'none') {
    if (waitsForBackground(w)) {
      v.waitingFor = 'background'
      return
    }
    v.slot = 'asked'
    v.waitingFor = undefined
    return effect(w, { effect: 'ask_slot' })
  }
  if (v.slot !== 'held') return
  // The run stays queued until the unsuitable process has ended, so that this end does not end the run.
  if (v.process && !suits(w, first.run.limits)) return endInput(w)
  if (!v.process && s.process) return
  v.slot = 'used'
  v.waitingFor = undefined
  v.backgroundSince = undefined
  decide(w, { act: 'started', run: first.run.run })
}

/** Whether the first queued run needs another process and still waits for background work in the current one. */
function waitsForBackground({ agent, s, v, time }: Work): boolean {
  const { process } = v
  const [first] = s.queue
  const endsWork =
    process?.phase === 'live' &&
    !process.closing &&
    (s.process?.tasks.length ?? 0) > 0 &&
    !suits({ agent, s, v }, first?.run.limits)
  if (!endsWork) {
    v.backgroundSince = undefined
    return false
  }
  v.backgroundSince ??= time
  return time < v.backgroundSince + v.config.backgroundWaitMs
}

/** Whether a process has to be started for the run that waits for a slot. */
export const startsProcess = (m: Machine): boolean => !suits(m, m.s.queue[0]?.run.limits)
