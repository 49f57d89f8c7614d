import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/claude/**', 'test/bench/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two real daemons at once are plenty on a small machine; files run in processes of their own (node-pty, SQLite).
    pool: 'forks',
    maxWorkers: 2,
  },
})
