import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DaemonStatus, Run } from '../../protocol/index.ts'
import { startReceiver } from '../notify/receiver.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

interface Told {
  event: { type: string; seq: number; run: string; response?: string }
  session: { session: string; title: string; cwd: string }
  run: { run: string; prompt: string; endedAt: number | null }
}
const lines = (file: string): Told[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Told)
    : []
/** A command that appends each message that it gets to a file, one line each. */
const appending = (file: string) => ['/bin/sh', '-c', 'cat >>"$1"; echo >>"$1"', 'sh', file]
const ends = ['done', 'failed', 'cancelled', 'interrupted']
const notified = async (peer: RpcPeer) => (await peer.call<DaemonStatus>('daemon.status')).notifications
const startRun = (peer: RpcPeer, prompt: string) =>
  peer.call<Run>('run.start', { create: { cwd: tempDir(), title: 'mine' }, prompt })

it('a command and a webhook get the end of a run, and the next daemon does not send it again', async () => {
  const file = join(tempDir(), 'told')
  const { url, received } = await startReceiver(() => ({ status: 200 }))
  const config = {
    notifications: [
      { on: ends, command: appending(file) },
      { on: ['failed'], url },
    ],
  }
  const daemon = await startTestDaemon({ config })
  const peer = await daemon.peer()
  const { run, session } = await startRun(peer, 'sim:text Hello.')
  await until(() => expect(lines(file)).toHaveLength(1))
  expect(lines(file)).toMatchObject([
    {
      event: { type: 'done', run, response: expect.stringContaining('Hello.') },
      session: { session, title: 'mine' },
      run: { run, prompt: 'sim:text Hello.', endedAt: expect.any(Number) },
    },
  ])
  await startRun(peer, 'sim:fail kind=auth')
  await until(async () => expect(await notified(peer)).toEqual({ sent: 3, failed: 0, dropped: 0, waiting: 0 }))
  expect(received.map(({ body }) => (JSON.parse(body) as Told).event.type)).toEqual(['failed'])

  await daemon.kill()
  const next = await startTestDaemon({ home: daemon.home, config })
  const again = await next.peer()
  const cancelled = await startRun(again, 'sim:slow')
  await again.call('run.cancel', { run: cancelled.run, mode: 'kill' })
  await until(() => expect(lines(file).map(({ event }) => event.type)).toEqual(['done', 'failed', 'cancelled']))
  expect(received).toHaveLength(1)
})

it('a command gets an approval_requested event while the approval is pending', async () => {
  const file = join(tempDir(), 'told')
  const config = { notifications: [{ on: ['approval_requested'], command: appending(file) }] }
  const daemon = await startTestDaemon({ config })
  const peer = await daemon.peer()
  const create = { cwd: tempDir(), approvals: { policy: 'ask' } }
  const { run } = await peer.call<Run>('run.start', { create, prompt: 'sim:permission' })
  await until(() => expect(lines(file)).toHaveLength(1))
  expect(lines(file)).toMatchObject([{ event: { type: 'approval_requested', run, tool: 'Write' }, run: { run } }])
  await peer.call('run.cancel', { run })
})

it('a webhook that hangs delays no run, and does not keep the daemon from exiting', async () => {
  const { url, received } = await startReceiver(() => 'never')
  const config = { notifications: [{ on: ['done'], url, timeoutMs: 600_000 }] }
  const daemon = await startTestDaemon({ config })
  const peer = await daemon.peer()
  for (let count = 0; count < 3; count++) {
    const { run } = await startRun(peer, 'sim:text')
    expect(await peer.call<Run>('run.wait', { run })).toMatchObject({ state: 'done' })
  }
  await until(() => expect(received).toHaveLength(1))
  expect(await notified(peer)).toEqual({ sent: 0, failed: 0, dropped: 0, waiting: 2 })
  expect(await daemon.stop()).toBe(0)
  expect(daemon.log()).toContain('"dropped":2')
})

it('a command gets the interrupted event of a run before a stopping daemon exits', async () => {
  const file = join(tempDir(), 'told')
  const daemon = await startTestDaemon({
    config: { notifications: [{ on: ['interrupted'], command: appending(file) }] },
  })
  const peer = await daemon.peer()
  const { run } = await startRun(peer, 'sim:slow')
  await until(async () => expect(await peer.call('run.get', { run })).toMatchObject({ state: 'running' }))
  expect(await daemon.stop()).toBe(0)
  expect(lines(file)).toMatchObject([{ event: { type: 'interrupted', run } }])
})

it('daemon.status has no notifications field if none are configured', async () => {
  const daemon = await startTestDaemon()
  expect(await notified(await daemon.peer())).toBeUndefined()
})
