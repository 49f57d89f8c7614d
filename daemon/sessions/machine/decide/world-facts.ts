import { decide, effect, type Work } from '../machine.ts'
import type { AdoptedProcess, WorldFact } from '../input.ts'
import { discard, giveUp, ptyHostDied } from './process-facts.ts'
import { newLiveProcess } from '../volatile.ts'

/** Takes a fact about the world around the session. */
export function takeWorldFact(w: Work, fact: WorldFact): void {
  const { v } = w
  switch (fact.input) {
    case 'opened':
      return decide(w, { act: 'opened', event: fact.event })
    case 'slot_granted':
      if (v.slot === 'asked') v.slot = 'held'
      return
    case 'slot_waits':
      if (v.slot === 'asked') v.waitingFor = fact.what
      return
    case 'tick':
      if (v.process) v.process.printedAt = Math.max(v.process.printedAt, fact.printedAt ?? 0)
      return
    case 'slept':
      v.sleeps = [...v.sleeps, { from: fact.from, to: fact.to }].slice(-mostSleeps)
      return
    case 'presence':
      v.emptySince = fact.emptySince
      return
    case 'left_ended':
      return decide(w, { act: 'left' })
    case 'storage_failed': {
      giveUp(w, fact.failure)
      const { process } = v
      if (process?.phase !== 'live' && process?.phase !== 'catching_up') return
      process.phase = 'behind'
      if (process.pid === null) effect(w, { effect: 'release_conversation', process: process.id })
      return
    }
    case 'storage_works':
      return readAgain(w)
    case 'fault':
      return fault(w, fact)
    case 'adopted':
      if (fact.damage) decide(w, { act: 'damaged', ...fact.damage })
      return adopt(w, fact.process)
    case 'shutdown':
      v.mode = 'stopping'
      v.stopReason = fact.reason
      return
    default:
      fact satisfies never
  }
}

const mostSleeps = 1_000

/** Starts from the folded state after recovery. Of everything volatile, only the state of the process is known. */
function adopt(w: Work, found: AdoptedProcess | null): void {
  const { s, v, time } = w
  // The run is active already, so it takes a slot even above the limit.
  if (s.active) {
    v.slot = 'used'
    effect(w, { effect: 'take_slot' })
  }
  if (!found) return unstarted(w)
  const process = newLiveProcess(found.id, found.state === 'starting' ? 'starting' : 'catching_up')
  v.process = process
  if (found.state !== 'held') return
  const { pid, startedAt, inputEnded } = found
  Object.assign(process, { pid, startedAt, inputEnded, closing: inputEnded })
  if (inputEnded) process.ending = { step: 'input_ended', at: time }
}

/** Handles a recovery that found no process. If the state has one, an earlier daemon stored it and did not start it. */
function unstarted(w: Work): void {
  const { s } = w
  effect(w, { effect: 'release_conversation', process: null })
  if (s.process) decide(w, { act: 'process_unstarted' })
  if (s.background) decide(w, { act: 'ended', run: s.background.stored.run.run, cause: 'lost', reason: ptyHostDied })
}

/** Reads the rest of the output of a killed process, from the last checkpoint on, now that it can be stored. */
function readAgain(w: Work): void {
  const { s, v } = w
  if (v.process?.phase !== 'behind' || v.process.pid !== null || !s.process) return
  v.process = newLiveProcess(v.process.id, 'catching_up')
  effect(w, { effect: 'read_again', process: s.process.id, offset: s.process.offset })
}

function fault(w: Work, { input: _, ...what }: Extract<WorldFact, { input: 'fault' }>): void {
  const { s, v } = w
  const id = v.process?.id ?? s.process?.id
  decide(w, { act: 'faulted', ...what })
  v.process = null
  if (id !== undefined) discard(w, id)
}
