import { defineConfig } from 'vitest/config'

/** The tiers: a file's name says which one it is in. `npm test` runs `quick`, `npm run test:full` runs `full`. */
const fullTier = 'test/**/*.full.test.ts'

export default defineConfig({
  test: {
    setupFiles: ['test/support/seeded.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two real daemons at once are plenty on a small machine; files run in processes of their own (node-pty, SQLite).
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: [fullTier, 'test/claude/**'] },
      },
      { extends: true, test: { name: 'full', include: [fullTier] } },
    ],
  },
})
