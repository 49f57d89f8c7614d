import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { readLog } from '../support/whole-log.ts'

/** Starts a daemon with an active run and queued runs of its session, named by their prompts. */
async function withQueue(...prompts: string[]) {
  const daemon = await startTestDaemon({ config: { cancelGraceMs: 100 } })
  const peer = await daemon.peer('mover')
  const first = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:hang at=text' })
  const { session } = first
  const queued: Run[] = []
  for (const prompt of prompts) queued.push(await peer.call<Run>('run.start', { session, prompt }))
  return { daemon, peer, session, first, queued }
}

const inQueue = async (peer: RpcPeer, session: string) => {
  const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session, state: 'queued' })
  return runs.toSorted((one, other) => one.position! - other.position!).map(({ prompt }) => prompt)
}
const cancel = (peer: RpcPeer, run: Run) => peer.call<Run>('run.cancel', { run: run.run })
const ended = (peer: RpcPeer, run: Run) => peer.call<Run>('run.wait', { run: run.run })
const startsOf = async (peer: RpcPeer, session: string) =>
  (await readLog(params => peer.call('topic.read', params), session))
    .filter(({ type }) => type === 'run_started')
    .map(event => event['prompt'])
const next = async (daemon: TestDaemon) => {
  await daemon.kill()
  const successor = await startTestDaemon({ home: daemon.home, config: { cancelGraceMs: 100 } })
  return successor.peer('mover')
}

describe('a queued run', () => {
  it('has a queue position, and run.move publishes the changed positions', async () => {
    const { daemon, peer, session, first, queued } = await withQueue('sim:text a', 'sim:text b', 'sim:text c')
    expect(first).toMatchObject({ position: 0 })
    expect(queued.map(({ position, waitingFor }) => [position, waitingFor])).toEqual([
      [0, 'session'],
      [1, 'session'],
      [2, 'session'],
    ])
    const other = await daemon.peer('other')
    await other.call('topic.subscribe', { topic: 'sessions' })
    const moved = await peer.call<Run>('run.move', { run: queued[2]!.run, to: 0 })
    expect(moved).toMatchObject({ state: 'queued', position: 0 })
    const changes = () =>
      other
        .events('sessions')
        .filter(({ type }) => type === 'run_changed')
        .map(event => event.run as unknown as Run)
        .map(({ prompt, position }) => [prompt, position])
    await until(() =>
      expect(changes()).toEqual([
        ['sim:text c', 0],
        ['sim:text a', 1],
        ['sim:text b', 2],
      ]),
    )
    expect(await inQueue(peer, session)).toEqual(['sim:text c', 'sim:text a', 'sim:text b'])
    await cancel(peer, first)
    for (const run of queued) expect(await ended(peer, run)).toMatchObject({ state: 'done', position: null })
    expect(await startsOf(peer, session)).toEqual(['sim:hang at=text', 'sim:text c', 'sim:text a', 'sim:text b'])
    const log = await readLog(params => peer.call('topic.read', params), session)
    expect(log.filter(({ type }) => type === 'run_moved')).toMatchObject([
      { run: moved.run, by: { name: 'mover' }, to: 0 },
    ])
  })

  it('moved beyond the end becomes the last, and a repeated move adds no event', async () => {
    const { peer, session, first, queued } = await withQueue('sim:text a', 'sim:text b')
    for (const _ of [1, 2]) {
      const moved = await peer.call<Run>('run.move', { run: queued[0]!.run, to: 1_000 })
      expect(moved).toMatchObject({ position: 1 })
    }
    expect(await inQueue(peer, session)).toEqual(['sim:text b', 'sim:text a'])
    const log = await readLog(params => peer.call('topic.read', params), session)
    expect(log.filter(({ type }) => type === 'run_moved')).toMatchObject([{ to: 1 }])
    for (const run of [...queued, first]) await cancel(peer, run)
    await ended(peer, first)
  })

  it('cannot be moved once it has begun or ended', async () => {
    const { peer, first } = await withQueue()
    const refused = { error: { data: { kind: 'conflict', run: first.run } } }
    await until(async () => expect((await peer.call<Run>('run.get', { run: first.run })).state).toBe('running'))
    await expect(peer.call('run.move', { run: first.run, to: 0 })).rejects.toMatchObject(refused)
    await cancel(peer, first)
    await ended(peer, first)
    await expect(peer.call('run.move', { run: first.run, to: 0 })).rejects.toMatchObject({
      error: { data: { kind: 'conflict', state: 'cancelled' } },
    })
    await expect(peer.call('run.move', { run: 'r_none', to: 0 })).rejects.toMatchObject({
      error: { data: { kind: 'not_found' } },
    })
  })

  it('keeps its queue position when the daemon is killed', async () => {
    const { daemon, peer, session, first, queued } = await withQueue('sim:text a', 'sim:text b', 'sim:text c')
    await peer.call('run.move', { run: queued[2]!.run, to: 1 })
    const again = await next(daemon)
    expect(await inQueue(again, session)).toEqual(['sim:text a', 'sim:text c', 'sim:text b'])
    await cancel(again, first)
    for (const run of queued) expect(await ended(again, run)).toMatchObject({ state: 'done' })
    expect(await startsOf(again, session)).toEqual(['sim:hang at=text', 'sim:text a', 'sim:text c', 'sim:text b'])
  })

  it('moved to the front takes over the slot request of its session', async () => {
    const daemon = await startTestDaemon({ config: { maxRuns: 1, cancelGraceMs: 100 } })
    const peer = await daemon.peer()
    const first = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:hang at=text' })
    const early = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:text early' })
    const late = await peer.call<Run>('run.start', { session: early.session, prompt: 'sim:text late' })
    const other = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:text other' })
    expect(await peer.call('run.get', { run: early.run })).toMatchObject({ waitingFor: 'slot' })
    expect(await peer.call('run.move', { run: late.run, to: 0 })).toMatchObject({ waitingFor: 'slot' })
    expect(await peer.call('run.get', { run: early.run })).toMatchObject({ waitingFor: 'session', position: 1 })
    await cancel(peer, first)
    const runs = await Promise.all([late, other, early].map(run => ended(peer, run)))
    const begun = runs.map(({ startedAt }) => startedAt!)
    expect(begun).toEqual(begun.toSorted((one, two) => one - two))
  })
})

describe('a prompt to a session whose process lives', () => {
  it('starts no process', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const first = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:text' })
    await ended(peer, first)
    const processOf = async () => (await peer.call<Session>('session.get', { session: first.session })).process
    const process = await processOf()
    expect(process).not.toBeNull()
    for (const prompt of ['sim:text and now the tests', 'sim:text and the last ones']) {
      await ended(peer, await peer.call<Run>('run.start', { session: first.session, prompt }))
      expect(await processOf()).toEqual(process)
    }
  })
})
