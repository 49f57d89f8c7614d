import { describe, expect, it } from 'vitest'
import type { Approval, Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const get = (peer: RpcPeer, session: string) => peer.call<Session>('session.get', { session })
const start = (peer: RpcPeer, prompt: string, session?: string) =>
  peer.call<Run>('run.start', { prompt, ...(session === undefined ? { create: { cwd: tempDir() } } : { session }) })
const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run })

/**
 * Performs an act and returns whether it moved `usedAt`, with the session before and after. Waits first until the clock
 * has passed the last use.
 */
async function usedAtAfter(peer: RpcPeer, session: string, act: () => Promise<unknown>) {
  const before = await get(peer, session)
  await until(() => expect(Date.now()).toBeGreaterThan(before.usedAt))
  await act()
  const after = await get(peer, session)
  return { moved: after.usedAt > before.usedAt, before, after }
}

describe('usedAt of a session', () => {
  it('does not change when the session is read or its idle process is closed', async () => {
    const daemon = await startTestDaemon({ config: { idleCloseMs: 300 } })
    const peer = await daemon.peer()
    const run = await ended(peer, await start(peer, 'sim:text'))
    const { session } = run
    const { usedAt } = await get(peer, session)
    expect(usedAt).toBe(run.endedAt)
    await peer.call('topic.subscribe', { topic: `session/${session}`, since: 'start' })
    await peer.call('session.list', { order: 'used' })
    const closed = await until(async () => {
      const record = await get(peer, session)
      expect(record.process).toBeNull()
      return record
    })
    expect(closed.usedAt).toBe(usedAt)
    expect(closed.updatedAt).toBeGreaterThan(usedAt)
  })

  it('is updated by each act of a client and by the start and end of a run', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const first = await start(peer, 'sim:hang at=text')
    const { session } = first
    const started = await until(async () => {
      const run = await peer.call<Run>('run.get', { run: first.run })
      expect(run.state).toBe('running')
      return run
    })
    expect((await get(peer, session)).usedAt).toBeGreaterThanOrEqual(started.startedAt!)
    const moves = async (act: () => Promise<unknown>) =>
      expect(await usedAtAfter(peer, session, act)).toMatchObject({ moved: true })

    const queued: Run[] = []
    await moves(async () => queued.push(await start(peer, 'sim:text', session)))
    await moves(async () => queued.push(await start(peer, 'sim:text', session)))
    await moves(() => peer.call('run.move', { run: queued[1]!.run, to: 0 }))
    await moves(() => peer.call('run.cancel', { run: queued[0]!.run }))
    await moves(() => peer.call('session.update', { session, title: 'renamed' }))
    await moves(async () => {
      await peer.call('run.cancel', { run: first.run })
      await ended(peer, first)
    })
    await ended(peer, queued[1]!)
    await moves(() => peer.call('session.fork', { session }))
    await moves(() => peer.call('session.close', { session }))
  })

  it('is updated by the answer of a client to an approval', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:permission')
    const { session } = run
    const [asked] = await until(async () => {
      const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list', { session })
      expect(approvals).toHaveLength(1)
      return approvals
    })
    const act = () => peer.call('approval.answer', { approval: asked!.approval, decision: 'deny' })
    expect(await usedAtAfter(peer, session, act)).toMatchObject({ moved: true })
    await ended(peer, run)
  })

  it('orders session.list, after the waiting and the running sessions', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const titles = async (params: object = {}) => {
      const { sessions, next } = await peer.call<{ sessions: Session[]; next?: string }>('session.list', {
        order: 'used',
        ...params,
      })
      return { titles: sessions.map(({ title }) => title), next }
    }
    const make = async (title: string) =>
      (await peer.call<Session>('session.create', { cwd: tempDir(), title })).session
    const waiting = await make('waiting')
    const running = await make('running')
    const first = await make('first')
    await make('second')
    const asks = await start(peer, 'sim:permission', waiting)
    const hangs = await start(peer, 'sim:hang at=text', running)
    await until(async () => expect((await get(peer, waiting)).state).toBe('waiting'))
    await usedAtAfter(peer, first, () => peer.call('session.update', { session: first, labels: { a: 'b' } }))

    expect(await titles()).toEqual({ titles: ['waiting', 'running', 'first', 'second'] })
    const page = await titles({ limit: 3 })
    expect(page.titles).toEqual(['waiting', 'running', 'first'])
    expect(await titles({ limit: 3, after: page.next })).toEqual({ titles: ['second'] })
    await expect(peer.call('session.list', { order: 'used', after: first })).rejects.toMatchObject({
      error: { data: { kind: 'invalid_params', path: '/after' } },
    })
    for (const run of [asks, hangs]) {
      await peer.call('run.cancel', { run: run.run })
      await ended(peer, run)
    }
  })
})
