import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['test/screenshots/make.ts'], testTimeout: 120_000, pool: 'forks' } })
