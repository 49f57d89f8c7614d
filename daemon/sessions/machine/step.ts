import { review } from './decide/approvals.ts'
import { decideCall } from './decide/calls.ts'
import { closeProcess, scheduleIdle, stop } from './decide/close-process.ts'
import { deliver, keepSlot } from './decide/deliver.ts'
import { finishAnswers } from './decide/finish-answers.ts'
import type { Input } from './input.ts'
import { doJobs } from './decide/jobs.ts'
import { beginWork, effect, type Machine, type Out, type Work } from './machine.ts'
import { giveRules, outbox } from './decide/outbox.ts'
import { takeFact, takeOutput } from './decide/process-facts.ts'
import { checkLimits, pursue } from './decide/pursue.ts'
import type { SessionState } from './fold/state.ts'
import { takeWorldFact } from './decide/world-facts.ts'

/**
 * A session is a state machine without side effects. `step` takes one input (a client's call, output, a fact about the
 * process, the clock) and returns the events and acts to store and the effects to carry out. `interpreter.ts` stores
 * events and acts in one transaction, and carries out the effects after its commit.
 *
 * - The state has two halves. `SessionState` is durable; only the fold (`apply.ts`, `output.ts`) changes it, and
 *   recovery repeats the fold over the stored acts and lines. `Volatile` is empty in each new daemon; only `step`
 *   changes it.
 * - A decision is an act. It is stored, so recovery decides nothing: a changed clock, configuration or client cannot
 *   change the past. An act emits its events when it is applied.
 * - `react` looks at the state after each input and does what is due. It depends on the state alone, not on how the
 *   state came about. So a restart needs no list of open work: with an empty `Volatile`, everything that is due is done
 *   again.
 * - Nothing here reads a clock or draws a random number. Inputs bring the time and the nonces.
 * - Each line is sent at most once in each life of the machine. The pty-host drops lines whose ids an earlier life has
 *   used.
 */
export function step(m: Machine, input: Input): Out {
  const w = beginWork(m, input.time)
  switch (input.input) {
    case 'output': {
      // The hot path: most lines change nothing that `react` depends on.
      const before = shapeOf(m.s)
      takeOutput(w, input)
      if (isSame(before, shapeOf(m.s)) && w.out.answers.length === 0 && !isIdling(before)) return w.out
      break
    }
    case 'enqueue':
    case 'move':
    case 'cancel':
    case 'answer':
    case 'update':
    case 'use':
    case 'close':
    case 'end_idle':
      decideCall(w, input)
      break
    case 'stalled':
    case 'prepared':
    case 'started':
    case 'start_failed':
    case 'exited':
    case 'cleared':
    case 'caught_up':
      takeFact(w, input)
      break
    case 'opened':
    case 'slot_granted':
    case 'slot_waits':
    case 'tick':
    case 'slept':
    case 'presence':
    case 'left_ended':
    case 'storage_failed':
    case 'storage_works':
    case 'fault':
    case 'adopted':
    case 'shutdown':
      takeWorldFact(w, input)
      break
    default:
      input satisfies never
  }
  react(w, input.input === 'tick')
  finishAnswers(w)
  return w.out
}

const mostRounds = 100

/** Does everything that is due. `knowsOutput`: the time of the newest output, read or not, is known. */
function react(w: Work, knowsOutput: boolean): void {
  for (let round = 0; ; round++) {
    const { acts } = w.s
    if (round > mostRounds) throw new Error(`session ${w.s.session.session} does not come to rest`)
    stop(w)
    pursue(w)
    checkLimits(w, knowsOutput)
    keepConversation(w)
    review(w)
    closeProcess(w)
    keepSlot(w)
    deliver(w)
    doJobs(w)
    giveRules(w)
    if (w.s.acts === acts) break
  }
  outbox(w)
  scheduleIdle(w)
}

/** Moves the lock of the process to the conversation that it reports. */
function keepConversation(w: Work): void {
  const { process } = w.v
  const { conversationId: conversation } = w.s.session
  if (!process || (process.phase !== 'live' && process.phase !== 'catching_up')) return
  if (process.pid === null || conversation === null || conversation === process.conversation) return
  process.conversation = conversation
  effect(w, { effect: 'hold_conversation', process: process.id, conversation })
}

/** Returns the parts of the state that output can change and that `react` depends on. */
function shapeOf({ active, background, open, answered, process, session }: SessionState) {
  return [
    active,
    active?.stored,
    active?.held,
    background,
    background?.stored,
    open,
    answered,
    process?.tasks,
    process?.replies,
    session.conversationId,
  ] as const
}

type Shape = ReturnType<typeof shapeOf>

const isSame = (one: Shape, other: Shape) => one.every((value, index) => value === other[index])

/** Whether no run is active. Output of an idle process restarts its idle time. */
const isIdling = ([active, , , background]: Shape) => active === null && background === null
