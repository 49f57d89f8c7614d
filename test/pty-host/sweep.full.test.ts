import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { listByPs } from '../../daemon/os/process-list.ts'
import { sweep } from '../../daemon/pty-host/sweep.ts'

describe('the list of processes without /proc', () => {
  it('has parents, sessions and start times', async () => {
    const child = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' })
    const entry = (await listByPs()).find(({ pid }) => pid === child.pid)
    expect(entry).toMatchObject({ pid: child.pid, parent: process.pid, session: child.pid })
    expect(Date.now() - Date.parse(entry!.started)).toBeLessThan(60_000)
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
})

describe('a sweep', () => {
  it('never ends the process that sweeps, whatever its environment says', async () => {
    const script = `
      import { sweep } from ${JSON.stringify(new URL('../../daemon/pty-host/sweep.ts', import.meta.url).href)}
      console.log(JSON.stringify(await sweep({ ids: ['p_sweep'], shimPid: undefined })))
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env: { ...process.env, MUXD_PROCESS: 'p_sweep' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = (await once(child.stdout, 'data')) as [Buffer]
    expect(output.toString()).toBe('{"left":[],"stuck":[]}\n')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('finds nothing if nothing was started', async () => {
    expect(await sweep({ ids: ['p_nothing'], shimPid: undefined })).toEqual({ left: [], stuck: [] })
  })
})
