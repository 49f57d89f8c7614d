import { nanoid } from 'nanoid'
import type { CancelStep } from '../../protocol/index.ts'
import type { ClaudeProcess } from '../agents/claude/claude-process.ts'
import { interruptLine } from '../agents/claude/control.ts'
import { type Escalation, startEscalation, type Step } from './escalation.ts'

/** A session's process with the ways to end it, and what is known of its end. */
export interface LiveProcess {
  readonly claude: ClaudeProcess
  /** It has been told to end and gets no prompt any more. */
  readonly ending: boolean
  /** It did not go by itself when it should have. */
  readonly forced: boolean
  /** It was sent a signal to end it. */
  readonly signalled: boolean
  /** Ends its input, after which it exits by itself; `graceMs` later by force, unless told to be patient. */
  endGently(options?: { patient: boolean }): void
  endByForce(): void
  /** What it prints cannot be kept: it is killed, and nobody waits for what it has yet to say. */
  abandon(): void
  /** It is killed, and nothing more of what it has printed is read. */
  discard(): void
  /**
   * How a turn of it is cancelled, from the mildest to the hardest: the names of the cancel modes are steps. `announce` is
   * called before each is taken.
   */
  cancelSteps(announce: (step: CancelStep) => void): [Step, ...Step[]]
  /** It is over: stops the clocks. */
  ended(): void
  /** The daemon goes without it: stops the clocks and listens no more. */
  leave(): void
}

export function createLiveProcess(claude: ClaudeProcess, graceMs: number): LiveProcess {
  let ending = false
  let forced = false
  let signalled = false
  let escalation: Escalation | undefined

  const terminate = () => {
    ending = true
    signalled = true
    return claude.signal('SIGTERM')
  }
  const kill = () => {
    ending = true
    signalled = true
    return claude.kill()
  }
  const force = (act: () => Promise<void>) => () => {
    forced = true
    return act()
  }
  const escalate = (...steps: [Step, ...Step[]]) => {
    escalation?.stop()
    escalation = startEscalation(steps, graceMs)
  }

  return {
    claude,
    get ending() {
      return ending
    },
    get forced() {
      return forced
    },
    get signalled() {
      return signalled
    },
    endGently({ patient } = { patient: false }) {
      if (!ending) claude.endInput()
      ending = true
      if (patient || escalation) return
      escalate(
        { name: 'wait', act: () => {} },
        { name: 'terminate', act: force(terminate) },
        { name: 'kill', act: force(kill) },
      )
    },
    endByForce() {
      ending = true
      escalate({ name: 'terminate', act: force(terminate) }, { name: 'kill', act: force(kill) })
    },
    abandon() {
      ending = true
      void claude.abandon()
    },
    discard() {
      ending = true
      escalation?.stop()
      void claude.discard()
    },
    cancelSteps(announce) {
      const step = (name: CancelStep, take: () => void | Promise<void>): Step => ({
        name,
        act() {
          announce(name)
          return take()
        },
      })
      return [
        step('interrupt', () => interrupt(claude)),
        step('sigint', () => {
          ending = true
          signalled = true
          return claude.signal('SIGINT')
        }),
        step('terminate', terminate),
        step('kill', kill),
      ]
    },
    ended() {
      escalation?.stop()
    },
    leave() {
      escalation?.stop()
      claude.unfollow()
    },
  }
}

export function interrupt(claude: ClaudeProcess): void {
  const requestId = `interrupt-${nanoid(8)}`
  claude.send(interruptLine(requestId), requestId)
}
