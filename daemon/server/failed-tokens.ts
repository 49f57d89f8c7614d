import type { Refusal } from './checks.ts'

/**
 * Counts recent wrong tokens. After `most` of them within `windowMs`, all tokens are refused for `windowMs`, including
 * valid ones, so that guesses reveal nothing. The Unix socket needs no token and stays open.
 */
export interface FailedTokens {
  isLocked(): boolean
  failed(): void
}

export const tooManyFailed: Refusal = { status: 429, message: 'too many wrong tokens: try again in a minute' }

export function createFailedTokens(options: { most: number; windowMs: number; now: () => number }): FailedTokens {
  const { most, windowMs, now } = options
  let times: number[] = []
  let lockedUntil = -Infinity
  return {
    isLocked: () => now() < lockedUntil,
    failed() {
      const time = now()
      times = [...times.filter(earlier => earlier > time - windowMs), time]
      if (times.length < most) return
      lockedUntil = time + windowMs
      times = []
    },
  }
}
