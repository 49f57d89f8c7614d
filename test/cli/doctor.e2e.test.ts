import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { holdLock } from '../../daemon/store/sqlite/file-lock.ts'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import { jsonLines, muxd } from './muxd.ts'

interface Check {
  name: string
  ok: boolean
  detail: string
}

async function doctor(home: string, names = ['lock', 'database']): Promise<Check[]> {
  const { stdout } = await muxd(['doctor', '--json', '--home', home]).ended
  const [{ checks }] = jsonLines(stdout) as unknown as [{ checks: Check[] }]
  return checks.filter(({ name }) => names.includes(name))
}

it('doctor checks the lock and the database of a running daemon without disturbing it', async () => {
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const slow = await peer.call<{ run: string }>('run.start', {
    create: { cwd: '/' },
    prompt: 'sim:long words=3000',
  })
  expect(await doctor(daemon.home)).toMatchObject([
    { name: 'lock', ok: true, detail: 'held by the running daemon' },
    { name: 'database', ok: true, detail: `${join(daemon.home, 'muxd.db')} can be read` },
  ])
  expect(await peer.call('run.wait', { run: slow.run })).toMatchObject({ state: 'done' })
  // The daemon still holds its lock.
  expect(holdLock(join(daemon.home, 'lock'))).toBe(undefined)
  expect(await daemon.stop()).toBe(0)
  expect(await doctor(daemon.home)).toMatchObject([
    { name: 'lock', ok: true, detail: 'free' },
    { name: 'database', ok: true },
  ])
})

it('doctor reports a lock whose owner does not answer and a file that is not a database', async () => {
  const home = tempHome()
  const daemon = await startTestDaemon({ home })
  expect(await daemon.stop()).toBe(0)
  const file = join(home, 'muxd.db')
  const good = readFileSync(file)
  writeFileSync(file, Buffer.alloc(good.length, 'not a database '))
  const unlock = holdLock(join(home, 'lock'))!
  try {
    expect(await doctor(home)).toMatchObject([
      { name: 'lock', ok: false, detail: 'held by a daemon that does not answer' },
      { name: 'database', ok: false, detail: expect.stringContaining('SQLITE_NOTADB') as string },
    ])
  } finally {
    unlock()
  }
})
