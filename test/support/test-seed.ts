import { onTestFailed } from 'vitest'
import { drawSeed, givenSeed } from './random.ts'

/**
 * Returns the seed of a test's random choices: `MUXD_TEST_SEED`, else `usual`, else a new one in each run. A failing
 * test prints its seed. fast-check properties need no call: `seeded.ts` passes `MUXD_TEST_SEED` to them, and they print
 * their seed.
 */
export function testSeed(usual: number = drawSeed()): number {
  const seed = givenSeed() ?? usual
  onTestFailed(() => console.error(`MUXD_TEST_SEED=${seed} repeats the random choices of this test`))
  return seed
}
