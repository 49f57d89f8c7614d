import { setTimeout as delay } from 'node:timers/promises'

/**
 * Calls `check` until it passes. At the deadline, rejects with the last failure. The deadline is long, because a busy
 * machine is slow and a successful wait costs nothing. Needs no test runner: benchmarks and the soak use it, too.
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

/** Fails a check that does not settle before the deadline. */
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
