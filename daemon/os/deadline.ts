/**
 * Two kinds of timer. A deadline is a time on the wall clock and also passes while the machine sleeps. A delay counts
 * only the time in which the machine is awake. Both accept any length; Node's own timers fire at once beyond 2^31 ms.
 */

/** How often the wall clock is read, because timers stand still while the machine sleeps. */
const lookMs = 1_000

/**
 * Calls `reached` within a second after the wall clock reaches `at` (ms since epoch). Returns the function that cancels
 * it. Does not keep the process alive.
 */
export function startDeadline(at: number, reached: () => void, now: () => number = Date.now): () => void {
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    const left = at - now()
    if (left <= 0) reached()
    else wait(left)
  }
  const wait = (left: number) => {
    timer = setTimeout(look, Math.min(left, lookMs)).unref()
  }
  // Never call `reached` synchronously, even if `at` has passed: the caller does not have the cancel function yet.
  wait(Math.max(0, at - now()))
  return () => clearTimeout(timer)
}

const longestTimerMs = 2 ** 31 - 1

/** Calls `over` after `ms` of awake time. Returns the function that cancels it. Keeps the process alive. */
export function startDelay(ms: number, over: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const wait = (left: number) => {
    timer = setTimeout(
      () => (left > longestTimerMs ? wait(left - longestTimerMs) : over()),
      Math.min(left, longestTimerMs),
    )
  }
  wait(ms)
  return () => clearTimeout(timer)
}
