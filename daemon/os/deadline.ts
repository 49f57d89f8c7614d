/**
 * The two kinds of waiting. A deadline is a time on the wall clock: a machine that sleeps past it is past it. A delay
 * counts only time in which the machine is awake. Both take any length: Node's own timers fire at once beyond 2^31 ms.
 */

/** A timer stands still while the machine sleeps, so the wall clock is read this often. */
const lookMs = 1_000

/** Calls `reached` once the wall clock says `at`, within a second. Returns what cancels it. Never keeps a process alive. */
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
  // Not at once, even where it has passed: the caller has yet to get what cancels it.
  wait(Math.max(0, at - now()))
  return () => clearTimeout(timer)
}

const longestTimerMs = 2 ** 31 - 1

/** Calls `over` after `ms` in which the machine was awake. Returns what cancels it. Keeps the process alive. */
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
