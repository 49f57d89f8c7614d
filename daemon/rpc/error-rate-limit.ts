/**
 * Bounds the bad messages of one connection with a token bucket. `detailed`: the answer says what was wrong, which is
 * costly to find. `brief`: the bucket is empty, and the answer says only that something was wrong. `exhausted`: far
 * more messages came than the bucket allows, and the connection is closed.
 */
export type ErrorRateLimit = () => 'detailed' | 'brief' | 'exhausted'

/**
 * Messages answered in detail: `burst` at once, and `refillPerSecond` a second. At `exhaustedAt` tokens the connection
 * ends.
 */
const burst = 100
const refillPerSecond = 10
const exhaustedAt = -1_000

/** `now` in ms. Call the result once for each bad message. */
export function createErrorRateLimit(now: () => number): ErrorRateLimit {
  let tokens = burst
  let filledAt = now()
  return () => {
    const time = now()
    tokens = Math.min(burst, tokens + ((time - filledAt) / 1_000) * refillPerSecond) - 1
    filledAt = time
    if (tokens >= 0) return 'detailed'
    return tokens > exhaustedAt ? 'brief' : 'exhausted'
  }
}
