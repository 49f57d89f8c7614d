import { applyLine } from '../fold/output.ts'
import { interrupt } from './pursue.ts'
import { decide, effect, type Work } from '../machine.ts'
import { giveRules, outbox, rulesAnswered } from './outbox.ts'
import { jobAnswered } from './jobs.ts'
import { rulesRequest } from '../fold/request-ids.ts'
import type { Failure } from '../../../../protocol/index.ts'
import type { ProcessFact } from '../input.ts'
import type { LiveProcess, ProcessExit } from '../volatile.ts'

/** Takes a fact about the session's process. A fact about another process only leads to its clean-up. */
export function takeFact(w: Work, fact: Exclude<ProcessFact, { input: 'output' }>): void {
  const { v } = w
  const { process } = v
  const isOurs = process?.id === fact.process
  switch (fact.input) {
    case 'prepared':
      return prepared(w, fact, isOurs ? process : null)
    case 'start_failed':
      if (isOurs) return startFailed(w, process, fact.failure)
      return effect(w, { effect: 'release_conversation', process: fact.process })
    case 'started': {
      if (!isOurs) return discard(w, fact.process)
      if (process.phase !== 'starting') return
      const { pid, startedAt } = fact
      Object.assign(process, { phase: 'live', pid, startedAt })
      if (process.conversation === null) return
      return effect(w, { effect: 'hold_conversation', process: process.id, conversation: process.conversation })
    }
    case 'stalled':
      return isOurs ? giveUp(w, fact.failure) : undefined
    case 'exited': {
      const { status, stderrTail, lost } = fact
      return isOurs ? exited(w, process, { status, stderrTail, lost }) : undefined
    }
    case 'cleared':
      return cleared(w, fact)
    case 'caught_up':
      return isOurs ? caughtUp(w, process) : undefined
    default:
      fact satisfies never
  }
}

/** Applies output of the process, and handles the answers in it. `react` decides everything else from the state. */
export function takeOutput(w: Work, { process: id, lines, offset }: Extract<ProcessFact, { input: 'output' }>): void {
  const { agent, s, v, out, sink } = w
  const { process } = v
  if (!process || process.id !== id || process.phase === 'behind' || !s.process) return
  for (const line of lines) applyLine(agent, s, line, sink)
  s.process.offset = offset
  v.idleSince = undefined
  if (out.toolBoundary) effect(w, { effect: 'note', process: id })
  for (const answer of out.answers) {
    if (!jobAnswered(w, answer) && answer.requestId.startsWith(rulesRequest)) rulesAnswered(w, answer)
    const uuid = s.active?.stored.promptUuid
    // The interrupt had no effect, because the prompt was still queued.
    const isEarly = uuid && process.pursuit?.run === s.active?.stored.run.run && answer.stillQueued.includes(uuid)
    if (isEarly && process.phase === 'live') interrupt(w, process)
  }
}

function prepared(w: Work, fact: Extract<ProcessFact, { input: 'prepared' }>, process: LiveProcess | null): void {
  const { s, v } = w
  const { process: id, nonce, launch, conversation, oneShot } = fact
  if (process?.phase !== 'preparing') return effect(w, { effect: 'release_conversation', process: id })
  const { active } = s
  if (active?.stored.run.state !== 'running' || v.mode === 'stopping') {
    // Its run has ended meanwhile, or the daemon stops: start nothing.
    v.process = null
    return effect(w, { effect: 'release_conversation', process: id })
  }
  const { run, limits } = active.stored.run
  // Stored before the process exists, so that its raw log is found whatever happens next.
  decide(w, { act: 'process_begun', process: id, nonce, run, ...(limits && { limits }), launch, oneShot })
  process.phase = 'starting'
  process.conversation = conversation
  effect(w, { effect: 'start', process: id })
}

function startFailed(w: Work, { phase, id }: LiveProcess, failure: Failure): void {
  const { s, v } = w
  if (phase !== 'preparing' && phase !== 'starting') return
  v.process = null
  effect(w, { effect: 'release_conversation', process: id })
  if (s.process) decide(w, { act: 'process_unstarted' })
  if (s.active) decide(w, { act: 'ended', run: s.active.stored.run.run, cause: 'refused', failure })
}

/** Discards a process that the session no longer has, because a fault has ended its runs. */
export function discard(w: Work, process: string): void {
  effect(w, { effect: 'discard', process })
  effect(w, { effect: 'release_conversation', process })
  effect(w, { effect: 'process_gone' })
}

/** Fails the runs of the process and kills it, because its output cannot be stored. */
export function giveUp(w: Work, failure: Failure): void {
  const { s, v } = w
  const { process } = v
  for (const run of [s.background, s.active])
    if (run) decide(w, { act: 'ended', run: run.stored.run.run, cause: 'refused', failure })
  if (process?.phase !== 'live' && process?.phase !== 'catching_up') return
  process.closing = true
  if (process.pid !== null) effect(w, { effect: 'abandon', process: process.id })
}

/** Ends the process. If muxd signalled it, first ends what it started: nothing of it may outlive its run. */
function exited(w: Work, process: LiveProcess, exit: ProcessExit): void {
  if (process.phase === 'clearing') return
  if (process.phase === 'behind') return goneBehind(w, process)
  if (!process.signalled) return processEnded(w, exit, false)
  process.phase = 'clearing'
  process.exit = exit
  effect(w, { effect: 'clear', process: process.id, spareDetached: false })
}

/** Handles the exit of a process that is `behind`. It counts as ended only when the rest of its output is stored. */
function goneBehind(w: Work, process: LiveProcess): void {
  if (process.pid === null) return
  process.pid = null
  effect(w, { effect: 'release_conversation', process: process.id })
  effect(w, { effect: 'process_gone' })
}

function processEnded(w: Work, { status, stderrTail, lost }: ProcessExit, isClear: boolean): void {
  const { s, v } = w
  const { id, forced } = v.process!
  const reason = v.stopReason ?? (lost ? ptyHostDied : undefined)
  const leftRun = s.background !== null || (s.active !== null && !s.active.held)
  decide(w, {
    act: 'process_ended',
    status,
    stderrTail,
    forced,
    exitKnown: !lost,
    ...(reason !== undefined && { lost: reason }),
  })
  v.process = null
  effect(w, { effect: 'release_conversation', process: id })
  effect(w, { effect: 'process_gone' })
  if (isClear) return
  // Processes that were detached before a graceful end live on. A status over 128 means that a signal ended it.
  const spareDetached = !lost && !leftRun && status !== null && status <= 128
  v.clearing = [...v.clearing, id]
  effect(w, { effect: 'clear', process: id, spareDetached })
}

function cleared(w: Work, { process: id, left }: Extract<ProcessFact, { input: 'cleared' }>): void {
  const { v } = w
  v.clearing = v.clearing.filter(each => each !== id)
  if (left) decide(w, { act: 'left', left })
  if (v.process?.id === id && v.process.exit) processEnded(w, v.process.exit, true)
}

/** Sends what is due before `react` checks cancels and limits, which assume that the prompt was sent. */
function caughtUp(w: Work, process: LiveProcess): void {
  const { s } = w
  if (process.phase !== 'catching_up' || process.pid === null) return
  process.phase = 'live'
  const { active } = s
  process.maybeSent = active?.stored.promptUuid ?? null
  // The prompt of a cancelled run is not sent again. Whether it was sent before is unknown.
  if (active?.stored.run.state === 'cancelling' && process.maybeSent !== null) process.sent.add(process.maybeSent)
  giveRules(w)
  outbox(w)
}

export const ptyHostDied = 'the pty-host of its process died while it ran'
