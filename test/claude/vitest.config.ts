import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/claude/**/*.test.ts'],
    globalSetup: ['test/claude/support/only-loopback.ts'],
    setupFiles: ['test/support/seeded.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
