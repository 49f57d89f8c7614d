import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInProcessPtyHost } from '../../daemon/pty-host/in-process.ts'
import { processesOf } from './following.ts'
import { startProgram } from './programs.ts'
import { until } from '../support/until.ts'

const patience = { timeout: 10_000, interval: 10 }

describe('a pty-host in this process', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'adversity-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  it('ends its processes when it is killed, and the next pty-host ends those that ignore SIGHUP', async () => {
    const { child, ready, exit } = startProgram(new URL('./programs/hold.ts', import.meta.url), dir)
    await ready
    expect(processesOf('plain').length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    await expect(exit).rejects.toThrow('ended with null')
    await until(() => expect(processesOf('plain')).toEqual([]), patience)
    expect(processesOf('stubborn').length).toBeGreaterThan(0)

    const next = createInProcessPtyHost({ dir })
    const held = await next.start({ id: 'other', nonce: 'N0', command: ['/bin/cat'], cwd: dir, env: {} })
    expect(processesOf('stubborn')).toEqual([])
    expect(processesOf('other')).toContain(held.pid)
    await next.close()
    const files = ['other', 'plain', 'stubborn'].flatMap(id => ['err', 'raw', 'times'].map(end => `${id}.${end}`))
    expect(readdirSync(dir).sort()).toEqual(files.sort())
    expect(readFileSync(join(dir, 'stubborn.raw'), 'utf8')).toBe('printed\n')
  })

  it('starts a process or fails with SpawnFailed and leaves nothing, however few descriptors are free', async () => {
    const { exit } = startProgram(new URL('./programs/without-descriptors.ts', import.meta.url), dir, 'ulimit -n 200;')
    const results = JSON.parse(await exit) as string[]
    expect(new Set(results)).toEqual(new Set(['SpawnFailed', 'started']))
    expect([results[0], results.at(-1)]).toEqual(['SpawnFailed', 'started'])
  })

  it.skipIf(!canMount())(
    'pauses a process while the disk is full, and loses no output (needs user namespaces)',
    async () => {
      const { exit } = startProgram(
        new URL('./programs/fill-disk.ts', import.meta.url),
        dir,
        'mount -t tmpfs -o size=4m none "$2" &&',
        ['unshare', '-rm'],
      )
      const result = JSON.parse(await exit) as { messages: string[]; heldUpMs: number }
      expect(result).toMatchObject({ movedBytes: 0, isWhole: true })
      expect(result.messages).toEqual([
        'the raw log cannot be written: the process is held up (ENOSPC)',
        'the raw log can be written again',
      ])
      expect(result.heldUpMs).toBeGreaterThanOrEqual(600)
      expect(existsSync(join(dir, 'p.raw'))).toBe(false)
    },
  )
})

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
