import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectForTest, peerForTest, seqs, take } from './harness.ts'
import { event, range } from './peer.ts'
import { until } from '../support/until.ts'

const topic = 'session/s_1'

describe('a subscription', () => {
  it('yields stored events and then new ones, in order', async () => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    expect(seqs(await take(events, 3))).toEqual([1, 2, 3])
    peer.append(topic, 2)
    expect(seqs(await take(events, 2))).toEqual([4, 5])
    expect(events.cursor).toEqual({ epoch: 'e1', seq: 4 })
  })

  it('starts at the end by default', async () => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const first = mux.subscribe(topic).next()
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(1))
    peer.append(topic, 1)
    expect((await first).value).toMatchObject({ seq: 4 })
  })

  it('takes a seq without an epoch as a cursor in the current log', async () => {
    const peer = await peerForTest()
    peer.append(topic, 5)
    const mux = await connectForTest({ url: peer.url })
    expect(seqs(await take(mux.subscribe(topic, { since: { seq: 3 } }), 2))).toEqual([4, 5])
    expect(peer.calls('topic.subscribe')[0]).toMatchObject({ since: { epoch: 'e1', seq: 3 } })
  })

  it('resumes after the last taken event when the connection breaks', async () => {
    const peer = await peerForTest()
    peer.append(topic, 10)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    expect(seqs(await take(events, 4))).toEqual([1, 2, 3, 4])
    peer.cut()
    peer.append(topic, 2)
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(2))
    expect(seqs(await take(events, 8))).toEqual(range(5, 12))
    // The reader has received the fourth event but not finished it, so the cursor is still at the third.
    expect(peer.calls('topic.subscribe')[1]).toMatchObject({ since: { epoch: 'e1', seq: 3 } })
  })

  it('drops events that it has already received', async () => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 3)
    peer.sockets[0]!.events(topic, [2, 3])
    peer.sockets[0]!.events(topic, [3, 4, 5])
    peer.sockets[0]!.events(topic, [4])
    peer.sockets[0]!.events(topic, [6])
    expect(seqs(await take(events, 3))).toEqual([4, 5, 6])
    expect(peer.calls('topic.subscribe')).toHaveLength(1)
  })

  it.each([
    ['between two batches', [[4], [6]]],
    ['within a batch', [[4, 6]]],
  ])('closes a hole %s by subscribing again', async (_, batches) => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 3)
    peer.logs.get(topic)!.head = 6
    for (const batch of batches) peer.sockets[0]!.events(topic, batch)
    expect(seqs(await take(events, 3))).toEqual([4, 5, 6])
    expect(peer.calls('topic.subscribe')).toHaveLength(2)
  })

  it('reconnects when the hole remains', async () => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 3)
    let answers = 0
    peer.on('topic.subscribe', (_, socket, id) => {
      socket.answer(id, { topic, epoch: 'e1', first: 1, head: 6, recovered: true })
      socket.events(topic, answers++ < 2 ? [5, 6] : [4, 5, 6])
      return undefined
    })
    peer.sockets[0]!.events(topic, [5])
    expect(seqs(await take(events, 3))).toEqual([4, 5, 6])
    expect(peer.calls('hello').length).toBeGreaterThan(1)
  })

  it('yields a trimmed gap when the log starts after its cursor', async () => {
    const peer = await peerForTest()
    peer.append(topic, 4)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 4)
    Object.assign(peer.logs.get(topic)!, { first: 8, head: 9 })
    peer.cut()
    expect(seqs(await take(events, 3))).toEqual([{ type: 'gap', reason: 'trimmed', from: 4, to: 7, epoch: 'e1' }, 8, 9])
  })

  it('yields an epoch_changed gap behind the events it had received', async () => {
    const peer = await peerForTest()
    peer.append(topic, 4)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 2)
    peer.logs.set(topic, { epoch: 'e2', first: 1, head: 2 })
    peer.cut()
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(2))
    expect(seqs(await take(events, 5))).toEqual([
      3,
      4,
      { type: 'gap', reason: 'epoch_changed', from: 4, to: 0, epoch: 'e2' },
      1,
      2,
    ])
    peer.cut()
    peer.append(topic, 1)
    expect(seqs(await take(events, 1))).toEqual([3])
    expect(peer.calls('topic.subscribe').at(-1)).toMatchObject({ since: { epoch: 'e2' } })
  })

  it('yields an ahead_of_log gap when the daemon has lost sent events', async () => {
    const peer = await peerForTest()
    peer.append(topic, 4)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 4)
    peer.logs.set(topic, { epoch: 'e1', first: 1, head: 2 })
    peer.cut()
    expect(seqs(await take(events, 3))).toEqual([
      { type: 'gap', reason: 'ahead_of_log', from: 4, to: 0, epoch: 'e1' },
      1,
      2,
    ])
  })

  it('continues in the new log although lost events were still to be taken', async () => {
    const peer = await peerForTest()
    peer.append(topic, 6)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    await take(events, 5)
    expect(events.cursor).toEqual({ epoch: 'e1', seq: 4 })
    peer.logs.set(topic, { epoch: 'e1', first: 1, head: 2 })
    peer.cut()
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(2))
    expect(seqs(await take(events, 2))).toEqual([
      6,
      { type: 'gap', reason: 'ahead_of_log', from: 6, to: 0, epoch: 'e1' },
    ])
    // The gap is not finished: a reader that stores this cursor and comes back gets the gap again.
    expect(events.cursor).toEqual({ epoch: 'e1', seq: 6 })
    expect(seqs(await take(events, 2))).toEqual([1, 2])
    peer.cut()
    peer.append(topic, 5)
    expect(seqs(await take(events, 5))).toEqual(range(3, 7))
  })

  it('ignores events that were sent for an earlier cursor', async () => {
    const peer = await peerForTest()
    peer.append(topic, 2)
    const mux = await connectForTest({ url: peer.url })
    const one = mux.subscribe(topic, { since: 'start' })
    await take(one, 2)
    peer.on('topic.subscribe', (_, socket, id) => {
      // An event for the old cursor, sent just before the answer moves the cursor.
      socket.events(topic, [3])
      socket.answer(id, { topic, epoch: 'e1', first: 1, head: 3, recovered: true })
      socket.events(topic, [1, 2, 3])
      socket.events(topic, [4])
      return undefined
    })
    const two = mux.subscribe(topic, { since: 'start' })
    expect(seqs(await take(two, 4))).toEqual([1, 2, 3, 4])
    expect(seqs(await take(one, 2))).toEqual([3, 4])
  })

  it('shares the topic with another reader, each from its own cursor', async () => {
    const peer = await peerForTest()
    peer.append(topic, 6)
    const mux = await connectForTest({ url: peer.url })
    const late = mux.subscribe(topic, { since: { epoch: 'e1', seq: 4 } })
    expect(seqs(await take(late, 1))).toEqual([5])
    const early = mux.subscribe(topic, { since: 'start' })
    const newest = mux.subscribe(topic).next()
    expect(seqs(await take(early, 6))).toEqual(range(1, 6))
    await until(() => expect(peer.calls('topic.subscribe').length).toBeGreaterThan(1))
    peer.append(topic, 1)
    expect((await newest).value).toMatchObject({ seq: 7 })
    expect(seqs(await take(late, 2))).toEqual([6, 7])
    expect(seqs(await take(early, 1))).toEqual([7])
  })

  it('unsubscribes when its last reader leaves, also one with a pending next()', async () => {
    const peer = await peerForTest()
    peer.append(topic, 1)
    const mux = await connectForTest({ url: peer.url })
    const [one, two] = [mux.subscribe(topic, { since: 'start' }), mux.subscribe(topic, { since: 'start' })]
    await take(one, 1)
    await take(two, 1)
    const waiting = two.next()
    await one.return!()
    peer.append(topic, 1)
    expect((await waiting).value).toMatchObject({ seq: 2 })
    const still = two.next()
    await two.return!()
    expect(await still).toEqual({ done: true, value: undefined })
    await until(() => expect(peer.calls('topic.unsubscribe')).toHaveLength(1))
    peer.append(topic, 1)
    expect(seqs(await take(mux.subscribe(topic, { since: 'start' }), 3))).toEqual([1, 2, 3])
  })

  it('rejects with the error of the daemon', async () => {
    const peer = await peerForTest()
    peer.on('topic.subscribe', (_, socket, id) => socket.refuse(id, 'not_found', 'no session s_2'))
    const mux = await connectForTest({ url: peer.url })
    await expect(mux.subscribe('session/s_2').next()).rejects.toMatchObject({ name: 'RpcError', kind: 'not_found' })
  })

  it('rejects when its session is deleted, after a heartbeat without its topic', async () => {
    const peer = await peerForTest()
    peer.append(topic, 2)
    peer.append('sessions', 1)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start' })
    const others = mux.subscribe('sessions', { since: 'start' })
    await take(others, 1)
    await take(events, 1)
    peer.on('topic.subscribe', (_, socket, id) => socket.refuse(id, 'not_found', 'no session s_1'))
    peer.sockets[0]!.notify('heartbeat', { time: 0, heads: { sessions: 1 } })
    expect(seqs(await take(events, 1))).toEqual([2])
    await expect(events.next()).rejects.toMatchObject({ kind: 'not_found' })
    peer.append('sessions', 1)
    expect(seqs(await take(others, 1))).toEqual([2])
    expect(peer.calls('topic.subscribe')).toHaveLength(3)
  })

  it('retries when the daemon is overloaded', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    let refused = 0
    peer.on('topic.subscribe', (_, socket, id) => {
      if (!refused++) socket.refuse(id, 'overloaded')
      else {
        socket.answer(id, { topic, epoch: 'e1', first: 1, head: 0, recovered: true })
        socket.events(topic, [1])
      }
      return undefined
    })
    expect(seqs(await take(mux.subscribe(topic, { since: 'start' }), 1))).toEqual([1])
  })

  it('rejects with the reason of its signal and drops buffered events', async () => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const controller = new AbortController()
    const events = mux.subscribe(topic, { since: 'start', signal: controller.signal })
    await take(events, 1)
    controller.abort(new Error('enough'))
    await expect(events.next()).rejects.toThrow('enough')
    await expect(mux.subscribe(topic, { signal: controller.signal }).next()).rejects.toThrow('enough')
  })

  it('rejects when the connection is closed', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    const waiting = mux.subscribe(topic).next()
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(1))
    mux.close()
    await expect(waiting).rejects.toMatchObject({ name: 'Unavailable' })
  })
})

it('mux.subscribe yields every event once and in order over cuts, repetitions and losses', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('cut' as const) }),
    fc.record({ do: fc.constant('repeat' as const), back: fc.integer({ min: 0, max: 6 }) }),
    fc.record({ do: fc.constant('skip' as const) }),
    fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 4 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async steps => {
      const peer = await peerForTest()
      const mux = await connectForTest({ url: peer.url })
      const events = mux.subscribe(topic, { since: 'start', window: 1_024 })
      const taken: object[] = []
      const log = () => peer.logs.get(topic)
      peer.append(topic, 1)
      for (const each of steps) {
        const head = log()!.head
        if (each.do === 'append') peer.append(topic, each.count)
        if (each.do === 'cut') peer.cut()
        const socket = peer.sockets.at(-1)
        if (each.do === 'repeat') socket?.events(topic, range(Math.max(1, head - each.back), head))
        if (each.do === 'skip') {
          // The log gets two events. The first one is lost on the way.
          log()!.head += 2
          socket?.events(topic, [event(head + 2)])
        }
        if (each.do === 'take') taken.push(...(await take(events, Math.min(each.count, log()!.head - taken.length))))
      }
      // Lost events arrive with the next connection at the latest.
      peer.cut()
      taken.push(...(await take(events, log()!.head - taken.length)))
      expect(seqs(taken)).toEqual(range(1, log()!.head))
      mux.close()
      await peer.close()
    }),
    { numRuns: 60 },
  )
})
