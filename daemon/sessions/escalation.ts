import { startDelay } from '../os/deadline.ts'

/** One step of an escalation: what is done, and for the log what it is called. */
export interface Step {
  name: string
  act(): void | Promise<void>
}

export interface Escalation {
  /** Jumps ahead to the step of that name, at once; a step that was taken already is not taken again. */
  hasten(name: string): void
  /** It has worked, or does not matter any more. */
  stop(): void
}

/**
 * Takes the steps one after the other, each only if the one before has had no effect within `graceMs`: whoever sees
 * the effect calls `stop`. The last step is repeated at the same pace, for there is nothing stronger.
 */
export function startEscalation(steps: [Step, ...Step[]], graceMs: number, first = steps[0].name): Escalation {
  let next = steps.findIndex(step => step.name === first)
  let cancel = () => {}
  let stopped = false

  const take = () => {
    cancel()
    const step = steps[Math.min(next, steps.length - 1)] as Step
    next += 1
    // Awake time: a machine that sleeps gives nobody the time to end.
    cancel = startDelay(graceMs, take)
    // A step that fails has had no effect: the next one comes in its time.
    Promise.resolve()
      .then(() => (stopped ? undefined : step.act()))
      .catch(() => {})
  }
  take()

  return {
    hasten(name) {
      const index = steps.findIndex(step => step.name === name)
      if (stopped || index < next) return
      next = index
      take()
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
