import { vi } from 'vitest'

/**
 * Tries `check` until it passes, and fails as it failed last when it has not within the deadline: long, because a busy
 * machine is slow and a wait that succeeds costs nothing.
 */
export const until = <T>(
  check: () => T | Promise<T>,
  { timeout = 20_000, interval = 10 }: { timeout?: number; interval?: number } = {},
): Promise<T> => vi.waitFor(check, { timeout, interval })
