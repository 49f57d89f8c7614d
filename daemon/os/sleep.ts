/** When the machine slept: what ended in silence meanwhile could not have spoken. */
export interface SleepWatch {
  /** For how much of the time since `at` (ms since epoch) the machine slept, as far as this process has seen it. */
  sleptSince(at: number): number
  close(): void
}

const lookMs = 1_000

/** So much later than due, a look was held up by more than a busy machine. */
const lateMs = 5_000

const mostSleeps = 1_000

/**
 * Looks at the wall clock every second. Where a look comes more than five seconds late, the machine slept in between,
 * this process was stopped, or the clock was set forward: in each case nothing follows from the time that seems to have
 * passed. It needs no second clock, which is not the same on all systems: Linux's monotonic clock stops while the
 * machine sleeps, that of Node on macOS may go on.
 */
export function createSleepWatch(now: () => number = Date.now): SleepWatch {
  const sleeps: { from: number; to: number }[] = []
  let last = now()
  const look = () => {
    const time = now()
    if (time - last > lookMs + lateMs) sleeps.push({ from: last, to: time })
    if (sleeps.length > mostSleeps) sleeps.shift()
    last = time
  }
  const timer = setInterval(look, lookMs).unref()
  return {
    sleptSince(at) {
      // After a sleep another timer may come first.
      look()
      return sleeps.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0)
    },
    close: () => clearInterval(timer),
  }
}

/** That of this process. */
export const sleepWatch = createSleepWatch()
