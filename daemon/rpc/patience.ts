/**
 * How much nonsense of one connection is answered: a token bucket over its bad messages. Within it the answers say
 * what was wrong (working that out is costly), beyond it only that something was, and far beyond it there is no point.
 */
export type Patience = () => 'detailed' | 'brief' | 'exhausted'

/** A burst of so many, and so many a second, are answered in detail; so many beyond that end the connection. */
const burst = 100
const refillPerSecond = 10
const exhaustedAt = -1_000

/** `now` in ms. Call the result once for each bad message. */
export function createPatience(now: () => number): Patience {
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
