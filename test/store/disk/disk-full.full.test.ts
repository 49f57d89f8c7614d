import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTempDir, tempDir } from '../../support/temp-dir.ts'
import { bundleProgram, startProgram } from '../child-program.ts'

/** Arguments of `unshare` that give a process its own mounts: as any user, else as root. Undefined if neither works. */
const unshare = [['--user', '--map-root-user', '--mount'], ['--mount']].find(flags => {
  const mount = 'mount -t tmpfs none /mnt'
  return spawnSync('unshare', [...flags, 'sh', '-c', mount], { stdio: 'ignore' }).status === 0
})
const where = unshare ? 'on a full disk' : 'SKIPPED, no mount namespace can be made here (unshare): on a full disk'

const bundles = createTempDir()
let program: string
beforeAll(async () => {
  if (unshare) program = await bundleProgram(new URL('./disk-full-program.ts', import.meta.url), bundles.path)
})
afterAll(() => bundles.remove())

test.skipIf(unshare === undefined).each(['small', 'large'])(
  `${where}, a flood of %s events fails with DiskFull, runs can still end, and writes work once space is free`,
  async size => {
    const seen = await onDiskOf('38m', size)
    expect(seen).toMatchObject({
      failure: 'DiskFull',
      heldStill: true,
      released: true,
      refused: 'DiskFull',
      accepted: 'stored',
      heldAgain: 4 * 1024 * 1024,
    })
    expect(seen.allocated).toBeGreaterThanOrEqual(4 * 1024 * 1024)
    expect(seen.atFailure.head).toBe(seen.atFailure.published)
    expect(seen.atFailure.head).toBeGreaterThan(size === 'small' ? 1_000 : 1)
    expect(seen.stored).toEqual(Array.from({ length: 50 }, () => 'stored'))
    expect(seen.kept.head).toBe(seen.atFailure.head + 1)
    expect(seen.kept.ends).toHaveLength(50)
  },
)

test.skipIf(unshare === undefined)(
  `${where}, an entry too large for it fails alone, and entries beside it are stored`,
  async () => {
    const seen = await onDiskOf('24m', 'neighbours')
    expect(seen).toEqual({ answers: ['stored', 'DiskFull', 'stored'], released: false, head: 2 })
  },
)

test.skipIf(unshare === undefined)(`${where}, a store opens, reads, and stores the end of a run`, async () => {
  const seen = await onDiskOf('24m', 'reopen')
  expect(seen).toEqual({ before: 0, kept: 1, released: true, regular: 'DiskFull', durable: 'stored' })
})

test.skipIf(unshare === undefined)(
  `${where}, every write fails with DiskFull, stores nothing, and works once space is free`,
  async () => {
    const seen = await onDiskOf('24m', 'transaction')
    expect(seen).toEqual({ errors: ['DiskFull', 'DiskFull', 'DiskFull', null], head: 0, after: 1 })
  },
)

// oxlint-disable-next-line typescript/no-explicit-any -- each test knows what its scenario prints
async function onDiskOf(size: string, scenario: string): Promise<any> {
  const directory = tempDir()
  const script = 'mount -t tmpfs -o size=$0,mode=700 none "$1" && shift && exec "$@"'
  const command = [process.execPath, program, directory, scenario]
  const { output, ended } = startProgram(['unshare', ...unshare!, 'sh', '-c', script, size, directory, ...command])
  expect([await ended, output()]).toEqual(['0', expect.stringMatching(/^\{.*\}$/)])
  return JSON.parse(output())
}
