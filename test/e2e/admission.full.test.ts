import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

/** More than any machine has, so that every run that needs free memory waits. */
const noMemory = { config: { minFreeBytes: 2 ** 52 } }

const start = (peer: RpcPeer, prompt: string, session?: string) =>
  peer.call<Run>('run.start', { ...(session ? { session } : { create: { cwd: tempDir() } }), prompt })
const get = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.get', { run })
const ended = (peer: RpcPeer, run: Run) => peer.call<Run>('run.wait', { run: run.run })
const processOf = async (peer: RpcPeer, { session }: Run) =>
  (await peer.call<Session>('session.get', { session })).process

describe('without free memory', () => {
  it('a new run waits until the runs of a live process have ended', async () => {
    const daemon = await startTestDaemon(noMemory)
    const peer = await daemon.peer()
    await peer.call('topic.subscribe', { topic: 'sessions' })
    const first = await start(peer, 'sim:hang at=text')
    await until(async () => expect(await get(peer, first)).toMatchObject({ state: 'running' }))
    const second = await start(peer, 'sim:text')
    const third = await start(peer, 'sim:text', second.session)
    expect(await get(peer, second)).toMatchObject({ state: 'queued', waitingFor: 'memory', position: 0 })
    expect(await get(peer, third)).toMatchObject({ state: 'queued', waitingFor: 'session', position: 1 })
    const told = peer.events('sessions').filter(({ type }) => type === 'run_changed')
    expect(told.map(({ run }) => run)).toContainEqual(
      expect.objectContaining({ run: second.run, waitingFor: 'memory' }),
    )

    const follower = await start(peer, 'sim:text', first.session)
    await peer.call('run.cancel', { run: first.run })
    for (const run of [follower, second, third]) {
      const done = await ended(peer, run)
      expect(done).toMatchObject({ state: 'done', position: null })
      expect(done).not.toHaveProperty('waitingFor')
    }
  })

  it('an idle process is closed so that a new run can start', async () => {
    const daemon = await startTestDaemon(noMemory)
    const peer = await daemon.peer()
    const idle = await start(peer, 'sim:text')
    await ended(peer, idle)
    expect(await processOf(peer, idle)).not.toBeNull()
    const next = await start(peer, 'sim:text')
    expect(await ended(peer, next)).toMatchObject({ state: 'done' })
    expect(await processOf(peer, idle)).toBeNull()
  })

  it('a waiting run still waits under the next daemon, and starts when the other run ends', async () => {
    const daemon = await startTestDaemon(noMemory)
    const peer = await daemon.peer()
    const first = await start(peer, 'sim:hang at=text')
    await until(async () => expect(await get(peer, first)).toMatchObject({ state: 'running' }))
    const second = await start(peer, 'sim:text')
    await daemon.kill()
    const again = await (await startTestDaemon({ home: daemon.home, ...noMemory })).peer()
    await until(async () => expect(await get(again, second)).toMatchObject({ waitingFor: 'memory' }))
    await again.call('run.cancel', { run: first.run })
    expect(await ended(again, second)).toMatchObject({ state: 'done' })
  })
})

describe('the activity of a run', () => {
  it('is in method results but not in topics until the run ends, and silence does not end the run', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    await peer.call('topic.subscribe', { topic: 'sessions' })
    const run = await start(peer, 'sim:hang at=tool')
    expect(run).not.toHaveProperty('activity')
    await until(async () => expect((await get(peer, run)).activity).toMatchObject({ what: 'Bash' }))
    const { activity, state } = await get(peer, run)
    expect(state).toBe('running')
    await until(async () => {
      const later = (await get(peer, run)).activity!
      expect(later.at).toBe(activity!.at)
      expect(later.silentMs).toBeGreaterThan(activity!.silentMs)
    })
    const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session: run.session })
    expect(runs).toMatchObject([{ activity: { at: activity!.at } }])
    expect(await peer.call('run.wait', { run: run.run, timeoutMs: 0 })).toHaveProperty('activity')
    await peer.call('run.cancel', { run: run.run })
    expect(await ended(peer, run)).not.toHaveProperty('activity')
    expect(JSON.stringify(peer.events('sessions'))).not.toContain('silentMs')
  })
})
