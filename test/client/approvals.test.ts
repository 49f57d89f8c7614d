import { describe, expect, it } from 'vitest'
import type { Mux, PendingApproval } from '../../client/sdk/index.ts'
import type { Approval, Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { closeAfterTest, connectForTest, peerForTest, take } from './harness.ts'
import type { Peer } from './peer.ts'

const topic = 'sessions'
const record = (id: number, more: object = {}): Approval => ({
  approval: `a_${id}`,
  session: 's_1',
  run: 'r_1',
  kind: 'tool',
  tool: 'Write',
  input: {},
  toolUseId: 't',
  state: 'pending',
  requestedAt: id,
  expiresAt: null,
  ...more,
})
const denied = (id: number) => record(id, { state: 'resolved', decision: 'deny', by: { client: 'c_2', name: 'bob' } })

/** A daemon with these records. It lists pending ones newest first, and reports each change. */
async function peerWith(...records: Approval[]) {
  const peer = await peerForTest()
  const all = new Map(records.map(each => [each.approval, each]))
  const log = { epoch: 'e1', first: 1, head: 0 }
  peer.logs.set(topic, log)
  peer.on('approval.list', ({ after }) => {
    const pending = [...all.values()].filter(({ state }) => state === 'pending').reverse()
    const from = pending.findIndex(({ approval }) => approval === after) + 1
    const page = pending.slice(from, from + 2)
    const next = from + 2 < pending.length ? { next: page.at(-1)!.approval } : {}
    return { approvals: page, ...next }
  })
  peer.on('approval.get', ({ approval }, socket, id) => {
    const found = all.get(approval as string)
    if (!found) socket.refuse(id, 'not_found')
    return found
  })
  const change = (approval: Approval, tell = true) => {
    all.set(approval.approval, approval)
    log.head += 1
    const item = { seq: log.head, time: 0, type: 'approval_changed', approval }
    if (tell) for (const socket of peer.sockets) socket.events(topic, [item], log.epoch)
  }
  return { peer, all, log, change }
}

async function following(peer: Peer, options: Parameters<Mux['approvals']>[0] = {}) {
  const mux = await connectForTest({ url: peer.url })
  return { mux, approvals: closing(mux.approvals(options)) }
}
const closing = <T>(items: AsyncIterableIterator<T>) => {
  closeAfterTest({ close: () => items.return?.() })
  return items
}
const subscribed = (peer: Peer, times = 1) => until(() => expect(peer.calls('topic.subscribe')).toHaveLength(times))
const ids = (found: PendingApproval[]) => found.map(({ approval }) => approval)

describe('mux.approvals()', () => {
  it('yields the pending approvals of all pages, oldest first, then new ones', async () => {
    const { peer, change } = await peerWith(record(1), record(2), record(3), denied(4), record(5))
    const { approvals } = await following(peer)
    expect(ids(await take(approvals, 4))).toEqual(['a_1', 'a_2', 'a_3', 'a_5'])
    await subscribed(peer)
    change(record(6))
    expect(ids(await take(approvals, 1))).toEqual(['a_6'])
  })

  it('yields only the approvals of a given session', async () => {
    const { peer, change } = await peerWith()
    const { approvals } = await following(peer, { session: 's_2' })
    const next = take(approvals, 1)
    await subscribed(peer)
    expect(peer.calls('approval.list')).toEqual([{ session: 's_2' }])
    change(record(1))
    change(record(2, { session: 's_2' }))
    expect(ids(await next)).toEqual(['a_2'])
  })

  it('yields an approval once, even if it is reported again', async () => {
    const { peer, change } = await peerWith(record(1))
    const { approvals } = await following(peer)
    await take(approvals, 1)
    await subscribed(peer)
    change(record(1))
    change(record(2))
    expect(ids(await take(approvals, 1))).toEqual(['a_2'])
  })

  it('skips an approval that was answered before it was taken', async () => {
    const { peer, change } = await peerWith(record(1), record(2))
    const { approvals } = await following(peer)
    const [first] = await take(approvals, 1)
    await subscribed(peer)
    change(denied(2))
    change(denied(1))
    await first!.resolved
    change(record(3))
    expect(ids(await take(approvals, 1))).toEqual(['a_3'])
  })

  it('neither loses nor repeats an approval when the connection breaks', async () => {
    const { peer, change } = await peerWith(record(1))
    const { approvals } = await following(peer)
    const [first] = await take(approvals, 1)
    await subscribed(peer)
    peer.cut()
    change(record(2), false)
    peer.on('topic.subscribe', (_, socket, id) => {
      socket.answer(id, { topic, epoch: 'e1', first: 1, head: 1, recovered: true })
      socket.events(topic, [{ seq: 1, ...changed(record(2)) }], 'e1')
    })
    expect(ids(await take(approvals, 1))).toEqual(['a_2'])
    change(denied(1))
    expect(await first!.resolved).toMatchObject({ decision: 'deny', by: { name: 'bob' } })
  })

  it('neither loses nor repeats an approval after a restart with a new epoch', async () => {
    const { peer, all, log, change } = await peerWith(record(1), record(2))
    const { approvals } = await following(peer)
    const [first, second] = await take(approvals, 2)
    await subscribed(peer)
    Object.assign(log, { epoch: 'e2', first: 1, head: 3 })
    all.set('a_1', denied(1)).delete('a_2')
    all.set('a_3', record(3)).set('a_4', denied(4))
    // The new log reports all records again, also those that are answered.
    peer.on('topic.subscribe', (params, socket, id) => {
      const { epoch } = params['since'] as { epoch: string }
      const recovered = epoch === 'e2'
      socket.answer(id, {
        topic,
        epoch: 'e2',
        first: 1,
        head: 3,
        recovered,
        ...(!recovered && { reason: 'epoch_changed' }),
      })
      const told = [record(1), record(4), record(3)].map((each, index) => ({ seq: index + 1, ...changed(each) }))
      if (!recovered) socket.events(topic, told, 'e2')
    })
    peer.cut()
    expect(ids(await take(approvals, 1))).toEqual(['a_3'])
    expect(await first!.resolved).toMatchObject({ decision: 'deny' })
    expect(await second!.resolved).toMatchObject({ decision: 'withdrawn' })
    change(record(5))
    expect(ids(await take(approvals, 1))).toEqual(['a_5'])
  })

  it('fetches an approval whose event was cut', async () => {
    const { peer, all, log } = await peerWith()
    const { approvals } = await following(peer)
    const next = take(approvals, 1)
    await subscribed(peer)
    all.set('a_1', record(1, { input: { content: 'all of it' } }))
    log.head = 1
    const cut = { ...changed(record(1, { input: { content: 'all…' } })), cut: { bytes: 300_000 } }
    peer.sockets[0]!.events(topic, [{ seq: 1, ...cut }])
    expect((await next)[0]!.input).toEqual({ content: 'all of it' })
  })

  it('settles resolved without a pending next(), and rejects it after return()', async () => {
    const { peer, change } = await peerWith(record(1), record(2))
    const { approvals } = await following(peer)
    const [first, second] = await take(approvals, 2)
    await subscribed(peer)
    change(denied(1))
    expect(await first!.resolved).toEqual(denied(1))
    await approvals.return!()
    await expect(second!.resolved).rejects.toThrow('aborted')
    expect(await approvals.next()).toMatchObject({ done: true })
  })

  it('rejects when its signal aborts or the connection closes', async () => {
    const { peer } = await peerWith()
    const controller = new AbortController()
    const { mux, approvals } = await following(peer, { signal: controller.signal })
    const [one, other] = [approvals.next(), closing(mux.approvals()).next()]
    await subscribed(peer, 2)
    controller.abort(new Error('enough'))
    await expect(one).rejects.toThrow('enough')
    mux.close()
    await expect(other).rejects.toMatchObject({ name: 'Unavailable' })
  })
})

describe('the answer to an approval', () => {
  it('is sent again with the same key when its response is lost', async () => {
    const { peer } = await peerWith(record(1))
    peer.on('approval.answer', () => {
      peer.on('approval.answer', () => denied(1))
      peer.cut()
    })
    const { approvals } = await following(peer)
    const [first] = await take(approvals, 1)
    expect(await first!.allow({ input: { a: 1 }, remember: true })).toEqual(denied(1))
    expect(await first!.resolved).toEqual(denied(1))
    const [once, again] = peer.calls('approval.answer')
    expect(once).toEqual({ approval: 'a_1', decision: 'allow', input: { a: 1 }, remember: true, key: once!['key'] })
    expect(again).toEqual(once)
  })
})

const changed = (approval: Approval) => ({ time: 0, type: 'approval_changed', approval })

describe('mux.approvals() with a daemon', () => {
  const start = (mux: Mux, prompt: string) => mux.run({ prompt, cwd: tempDir() })
  const ended = async (mux: Mux, run: { id: string }): Promise<Run> => mux.attach(run.id).wait()

  it('one program answers the approval of another, and a later answer conflicts', async () => {
    const { home } = await startTestDaemon()
    const ada = await connectForTest({ home, client: { name: 'ada', version: '1' } })
    const bob = await connectForTest({ home, client: { name: 'bob', version: '1' } })
    const theirs = closing(bob.approvals())
    const run = await start(ada, 'sim:permission tools=2')
    const mine = closing(ada.approvals({ session: run.session }))
    const [[one], [same]] = await Promise.all([take(mine, 1), take(theirs, 1)])
    expect(same).toMatchObject({ approval: one!.approval, tool: 'Write' })
    expect(await same!.allow()).toMatchObject({ decision: 'allow', by: { name: 'bob' } })
    expect(await one!.resolved).toMatchObject({ decision: 'allow', by: { name: 'bob' } })
    await expect(one!.deny('no')).rejects.toMatchObject({
      kind: 'conflict',
      data: { decision: 'allow', by: { name: 'bob' } },
    })
    const [two] = await take(mine, 1)
    await two!.deny('not that one')
    expect((await ended(ada, run)).result?.response).toContain('not that one')
  })

  it('a question is answered, and cancelling a run withdraws its approval', async () => {
    const { home } = await startTestDaemon()
    const mux = await connectForTest({ home })
    const approvals = closing(mux.approvals())
    const run = await start(mux, 'sim:question Which way?')
    const [question] = await take(approvals, 1)
    await question!.allow({ answers: { 'Which way?': 'Blue' } })
    expect((await ended(mux, run)).result?.response).toContain('Blue')
    const other = await start(mux, 'sim:permission')
    const [asked] = await take(approvals, 1)
    await mux.attach(other.id).cancel()
    expect(await asked!.resolved).toMatchObject({ decision: 'withdrawn' })
  })

  it('an approval stays pending when the daemon is killed and restarted', async () => {
    const daemon = await startTestDaemon()
    const mux = await connectForTest({ home: daemon.home })
    const approvals = closing(mux.approvals())
    const run = await start(mux, 'sim:permission tools=2')
    const [one] = await take(approvals, 1)
    await daemon.kill()
    await startTestDaemon({ home: daemon.home })
    expect(await one!.allow()).toMatchObject({ approval: one!.approval, decision: 'allow' })
    const [two] = await take(approvals, 1)
    expect(two!.approval).not.toBe(one!.approval)
    await two!.allow()
    expect((await ended(mux, run)).state).toBe('done')
  })
})
