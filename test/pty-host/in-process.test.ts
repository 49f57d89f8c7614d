import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createInProcessPtyHost } from '../../daemon/pty-host/in-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { describePtyHost } from './conformance.ts'

describePtyHost('a pty-host in this process', async dir => ({
  ptyHost: createInProcessPtyHost({ dir }),
  pid: process.pid,
}))

describe('a pty-host that starts', () => {
  it('removes files left by a killed pty-host, but no options of a process that is still to start', async () => {
    const dir = tempDir()
    for (const name of ['p_old.in', 'p_old.pid', 'p_old.raw']) writeFileSync(join(dir, name), '')
    for (const name of ['p_old.options', 'p_next.options']) mkdirSync(join(dir, name))
    const ptyHost = createInProcessPtyHost({ dir })
    // Closing waits for the removal.
    await ptyHost.close()
    expect(readdirSync(dir)).toEqual(['p_next.options', 'p_old.raw'])
  })
})
