import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { standIn } from '../support/stand-in.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const patience = { timeout: 40_000, interval: 20 }

/** A background task that lasts until the file `go` exists, and then writes the file `BUILT`. */
const building = () =>
  standIn(`
    import { existsSync, writeFileSync } from 'node:fs'
    let isBuilding = false
    serve((uuid, prompt) => {
      init(uuid)
      if (prompt === 'build') {
        isBuilding = true
        background('t1')
        const timer = setInterval(() => {
          if (!existsSync('go')) return
          clearInterval(timer)
          writeFileSync('BUILT', '')
          isBuilding = false
          background()
        }, 20)
      }
      text(prompt)
      result(uuid, prompt)
    }, { onEnd: () => { if (!isBuilding) process.exit(0) } })`)

async function open(config: object = {}) {
  const daemon = await startTestDaemon({ argv: ['--claude-bin', building()], config })
  const peer = await daemon.peer()
  const cwd = tempDir()
  const { session, run } = await peer.call<Run>('run.start', { create: { cwd }, prompt: 'build' })
  await peer.call('run.wait', { run })
  await peer.call('topic.subscribe', { topic: `session/${session}`, since: 'start' })
  return { peer, cwd, session }
}
const limited = (peer: RpcPeer, session: string) =>
  peer.call<Run>('run.start', { session, prompt: 'go on', limits: { maxTurns: 5 } })
const lost = (peer: RpcPeer, session: string) =>
  peer.events(`session/${session}`).filter(({ type }) => type === 'background_lost')

it('a run that needs a new process waits for the background work of the current one', async () => {
  const { peer, cwd, session } = await open()
  const { run } = await limited(peer, session)
  await until(
    async () => expect(await peer.call('run.get', { run })).toMatchObject({ waitingFor: 'background' }),
    patience,
  )
  expect(existsSync(join(cwd, 'BUILT'))).toBe(false)
  writeFileSync(join(cwd, 'go'), '')
  expect(await peer.call('run.wait', { run })).toMatchObject({ state: 'done' })
  expect(existsSync(join(cwd, 'BUILT'))).toBe(true)
  expect(lost(peer, session)).toEqual([])
})

it('a run waits no longer than backgroundWaitMs, and background_lost names the tasks that were ended', async () => {
  const { peer, session } = await open({ backgroundWaitMs: 100, resultGraceMs: 100 })
  const { run } = await limited(peer, session)
  expect(await peer.call('run.wait', { run })).toMatchObject({ state: 'done' })
  await until(
    () =>
      expect(lost(peer, session)).toMatchObject([
        { tasks: [{ id: 't1', description: 'task t1' }], more: 0, run: null },
      ]),
    patience,
  )
})

it('a queued run that waits for background work can be cancelled', async () => {
  const { peer, cwd, session } = await open()
  const { run } = await limited(peer, session)
  await peer.call('run.cancel', { run })
  expect(await peer.call('run.wait', { run })).toMatchObject({ state: 'cancelled' })
  writeFileSync(join(cwd, 'go'), '')
  await until(() => expect(existsSync(join(cwd, 'BUILT'))).toBe(true), patience)
})

it('a session.update that needs a new process is rejected with conflict during background work', async () => {
  const { peer, cwd, session } = await open()
  await expect(peer.call('session.update', { session, conversationId: null })).rejects.toMatchObject({
    error: { data: { kind: 'conflict', backgroundTasks: 1 } },
  })
  writeFileSync(join(cwd, 'go'), '')
  await until(() => peer.call('session.update', { session, conversationId: null }), patience)
})

it('a session with idleCloseMs 0 keeps its process until its background work has ended', async () => {
  const { peer, cwd, session } = await open({ idleCloseMs: 0 })
  expect(await peer.call('session.get', { session })).toMatchObject({ process: { pid: expect.any(Number) } })
  writeFileSync(join(cwd, 'go'), '')
  await until(
    async () => expect(await peer.call('session.get', { session })).toMatchObject({ process: null }),
    patience,
  )
  expect(existsSync(join(cwd, 'BUILT'))).toBe(true)
  expect(lost(peer, session)).toEqual([])
})

it('session.close during background work adds a background_lost event', async () => {
  const { peer, session } = await open({ resultGraceMs: 100 })
  await peer.call('session.close', { session })
  await until(() => expect(lost(peer, session)).toHaveLength(1), patience)
})
