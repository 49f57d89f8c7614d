import { setTimeout as delay } from 'node:timers/promises'

/**
 * Tries `check` until it passes, and fails as it failed last when it has not within the deadline: long, because a busy
 * machine is slow and a wait that succeeds costs nothing. Needs no test runner: benchmarks and the soak use it too.
 */
export async function until<T>(
  check: () => T | Promise<T>,
  { timeout = 20_000, interval = 10 }: { timeout?: number; interval?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeout
  for (;;) {
    try {
      return await within(Promise.resolve().then(check), deadline)
    } catch (error) {
      if (performance.now() >= deadline) throw error
    }
    await delay(interval)
  }
}

/** A check that does not settle fails at the deadline. */
async function within<T>(checked: Promise<T>, deadline: number): Promise<T> {
  const settled = new AbortController()
  const late = delay(Math.max(0, deadline - performance.now()), undefined, { signal: settled.signal }).then(() => {
    throw new Error('the check did not settle within the deadline')
  })
  try {
    return await Promise.race([checked, late])
  } finally {
    settled.abort()
    late.catch(() => {})
  }
}
