import { onTestFailed } from 'vitest'
import { drawSeed, givenSeed } from './random.ts'

/**
 * The seed of a test's random choices: `MUXD_TEST_SEED`, else `usual`, else another one in each run. A test that fails
 * prints it. Properties of fast-check need no call: `seeded.ts` gives them `MUXD_TEST_SEED`, and they print their seed.
 */
export function testSeed(usual: number = drawSeed()): number {
  const seed = givenSeed() ?? usual
  onTestFailed(() => console.error(`MUXD_TEST_SEED=${seed} repeats the random choices of this test`))
  return seed
}
