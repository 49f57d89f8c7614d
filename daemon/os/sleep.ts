/** Records when the machine slept: a process that prints nothing during a sleep is not silent. */
export interface SleepWatch {
  /** Returns for how many ms since `at` (ms since epoch) the machine slept, as far as this process has seen it. */
  sleptSince(at: number): number
  /** The newest sleeps, oldest first. */
  readonly sleeps: readonly { from: number; to: number }[]
  /** Calls `listener` with each sleep that is found. Returns the unsubscribe function. */
  onSleep(listener: (sleep: { from: number; to: number }) => void): () => void
  close(): void
}

const lookMs = 1_000

/** A busy machine alone does not delay a look by more than this. */
const lateMs = 5_000

const mostSleeps = 1_000

/**
 * Reads the wall clock every second. If a read is more than five seconds late, the machine slept, this process was
 * stopped, or the clock was set forward: in each case, the time that seems to have passed proves nothing. The watch
 * uses no monotonic clock, because those differ: Linux's stops while the machine sleeps, Node's on macOS may continue.
 */
export function createSleepWatch(now: () => number = Date.now): SleepWatch {
  const sleeps: { from: number; to: number }[] = []
  const listeners = new Set<(sleep: { from: number; to: number }) => void>()
  let last = now()
  const look = () => {
    const time = now()
    const sleep = { from: last, to: time }
    last = time
    if (sleep.to - sleep.from <= lookMs + lateMs) return
    sleeps.push(sleep)
    if (sleeps.length > mostSleeps) sleeps.shift()
    for (const listener of [...listeners]) listener(sleep)
  }
  const timer = setInterval(look, lookMs).unref()
  return {
    sleptSince(at) {
      // After a sleep, the timer of the caller may fire before the one of this watch.
      look()
      return sleeps.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0)
    },
    sleeps,
    onSleep(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => clearInterval(timer),
  }
}

/** The watch of this process. */
export const sleepWatch = createSleepWatch()
