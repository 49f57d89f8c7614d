import { givenSeed } from './random.ts'

/** Runs before each test file: properties of fast-check start from `MUXD_TEST_SEED` where it is given. */
const seed = givenSeed()
if (seed !== undefined) (await import('fast-check')).configureGlobal({ seed })
