/** A repeatable random generator (mulberry32): the same seed gives the same numbers. */
export interface Random {
  /** Returns a number of at least 0 and below 1. */
  next(): number
  /** Returns an integer from `low` to `high`, both included. */
  whole(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly [T, ...T[]]): T
  /** Returns a generator for a separate worker. Its numbers do not depend on when others draw theirs. */
  fork(): Random
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    whole,
    chance: probability => next() < probability,
    pick: items => items[whole(0, items.length - 1)]!,
    fork: () => createRandom(whole(0, 2 ** 32 - 1)),
  }
}

/** Returns the seed in `MUXD_TEST_SEED`, which repeats the random choices of an earlier test or soak run. */
export function givenSeed(text = process.env['MUXD_TEST_SEED']): number | undefined {
  if (text === undefined || text === '') return undefined
  const seed = Number(text)
  if (!Number.isSafeInteger(seed)) throw new Error(`MUXD_TEST_SEED is ${JSON.stringify(text)}, expected a whole number`)
  return seed
}

export const drawSeed = (): number => Math.floor(Math.random() * 2 ** 31)
