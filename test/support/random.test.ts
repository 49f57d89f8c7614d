import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createRandom, givenSeed } from './random.ts'
import { tempDir } from './temp-dir.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('MUXD_TEST_SEED', () => {
  it('accepts only a whole number', () => {
    expect([givenSeed('17'), givenSeed('-17'), givenSeed('')]).toEqual([17, -17, undefined])
    for (const text of ['1.5', 'seventeen', '1e99'])
      expect(() => givenSeed(text)).toThrow(`"${text}", expected a whole`)
  })

  it('repeats the random choices, and is printed by a failing test', () => {
    const directory = tempDir()
    const support = join(root, 'test/support')
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    writeFileSync(
      join(directory, 'vitest.config.mjs'),
      `export default { test: { setupFiles: [${JSON.stringify(join(support, 'seeded.ts'))}] } }`,
    )
    writeFileSync(
      join(directory, 'failing.test.ts'),
      `import * as fc from 'fast-check'
       import { it } from 'vitest'
       import { createRandom } from ${JSON.stringify(join(support, 'random.ts'))}
       import { testSeed } from ${JSON.stringify(join(support, 'test-seed.ts'))}
       it('draws', () => {
         throw new Error('drew ' + createRandom(testSeed(1)).whole(1, 1_000_000))
       })
       it('holds', () => fc.assert(fc.property(fc.nat(), () => false)))`,
    )
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', directory],
      { cwd: directory, encoding: 'utf8', env: { ...process.env, MUXD_TEST_SEED: '17' } },
    )
    expect(status).toBe(1)
    const output = stdout + stderr
    expect(output).toContain(`drew ${createRandom(17).whole(1, 1_000_000)}`)
    expect(output).toContain('MUXD_TEST_SEED=17 repeats the random choices of this test')
    expect(output).toContain('seed: 17')
  })
})

it('no test has its own source of random numbers', () => {
  const files = (readdirSync(join(root, 'test'), { recursive: true }) as string[]).filter(name =>
    /\.[cm]?[jt]s$/.test(name),
  )
  const own = files.filter(name => /Math\.random\(|\bseed: \d/.test(readFileSync(join(root, 'test', name), 'utf8')))
  // This file contains the words that it searches for.
  expect(own.toSorted()).toEqual(['support/random.test.ts', 'support/random.ts'])
})
