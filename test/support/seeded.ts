import { givenSeed } from './random.ts'

/** Runs before each test file: fast-check properties use `MUXD_TEST_SEED` as their seed if it is set. */
const seed = givenSeed()
if (seed !== undefined) (await import('fast-check')).configureGlobal({ seed })
