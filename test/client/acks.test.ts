import { describe, expect, it } from 'vitest'
import { connectForTest, peerForTest, seqs, take } from './harness.ts'
import { type Peer, range } from './peer.ts'
import { until } from '../support/until.ts'

const topic = 'session/s_1'
const acks = (peer: Peer) => peer.calls('topic.ack').map(({ seq }) => seq)

/** From now on the peer only answers subscriptions, and the test sends the events. */
function sendNothingAfterAnswers(peer: Peer): void {
  peer.on('topic.subscribe', () => {
    const { epoch, first, head } = peer.logs.get(topic)!
    return { topic, epoch, first, head, recovered: true }
  })
}

describe('a subscription acknowledges', () => {
  it('events after its reader has taken them', async () => {
    const peer = await peerForTest()
    peer.append(topic, 3)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start', window: 2_048 })
    await take(events, 3)
    expect(peer.calls('topic.subscribe')[0]).toMatchObject({ window: 2_048 })
    expect(acks(peer)).toEqual([])
    peer.append(topic, 1)
    await take(events, 1)
    await until(() => expect(acks(peer)).toEqual([3]))
  })

  it('only events that its slowest reader has taken', async () => {
    const peer = await peerForTest()
    peer.append(topic, 2)
    const mux = await connectForTest({ url: peer.url })
    const [fast, slow] = [1, 2].map(() => mux.subscribe(topic, { since: 'start', window: 1_024 }))
    await take(slow!, 1)
    await take(fast!, 2)
    for (let count = 0; count < 5; count++) {
      peer.append(topic, 1)
      await take(fast!, 1)
    }
    await mux.api.topic.unsubscribe({ topic: 'daemon' })
    for (const seq of acks(peer)) expect(seq).toBeLessThan(2)
  })

  it('for the remaining readers when the slowest is aborted', async () => {
    const peer = await peerForTest()
    peer.append(topic, 1)
    const mux = await connectForTest({ url: peer.url })
    const controller = new AbortController()
    const slow = mux.subscribe(topic, { since: 'start', signal: controller.signal })
    const fast = mux.subscribe(topic, { since: 'start', window: 1_024 })
    await Promise.all([take(slow, 1), take(fast, 1)])
    peer.append(topic, 2)
    await take(fast, 2)
    controller.abort(new Error('enough'))
    await until(() => expect(acks(peer).at(-1)).toBe(2))
  })

  it('events that are sent again after they were taken', async () => {
    const peer = await peerForTest()
    peer.append(topic, 6)
    const mux = await connectForTest({ url: peer.url })
    const events = mux.subscribe(topic, { since: 'start', window: 1_024 })
    await take(events, 1)
    sendNothingAfterAnswers(peer)
    peer.cut()
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(2))
    expect(peer.calls('topic.subscribe')[1]).toMatchObject({ since: { seq: 0 } })
    expect(seqs(await take(events, 5))).toEqual(range(2, 6))
    const waiting = events.next()
    await until(() => expect(acks(peer)).toEqual([6]))
    peer.sockets[0]!.events(topic, range(1, 6))
    await until(() => expect(acks(peer)).toEqual([6, 6]))
    peer.append(topic, 1)
    peer.sockets[0]!.events(topic, [7])
    expect((await waiting).value).toMatchObject({ seq: 7 })
  })

  it('nothing while the subscribe call of a second reader is pending', async () => {
    const peer = await peerForTest()
    peer.append(topic, 4)
    const mux = await connectForTest({ url: peer.url })
    const one = mux.subscribe(topic, { since: 'start', window: 1_024 })
    await take(one, 4)
    let answer = () => {}
    peer.on('topic.subscribe', (_, socket, id) => {
      answer = () => {
        socket.answer(id, { topic, epoch: 'e1', first: 1, head: 4, recovered: true })
        socket.events(topic, range(1, 4))
      }
      return undefined
    })
    const two = mux.subscribe(topic, { since: 'start', window: 1_024 })
    const first = two.next()
    await until(() => expect(peer.calls('topic.subscribe')).toHaveLength(2))
    const waiting = one.next()
    await mux.api.topic.unsubscribe({ topic: 'daemon' })
    expect(acks(peer)).toEqual([])
    answer()
    expect((await first).value).toMatchObject({ seq: 1 })
    expect(seqs(await take(two, 3))).toEqual([2, 3, 4])
    peer.append(topic, 1)
    peer.sockets[0]!.events(topic, [5])
    expect((await waiting).value).toMatchObject({ seq: 5 })
  })
})
