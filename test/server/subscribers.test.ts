import { expect, test } from 'vitest'
import type { SubscriptionStatus } from '../../protocol/index.ts'
import { subscribersStatus } from '../../daemon/server/subscribers.ts'
import { until } from '../support/until.ts'
import { greet, openClient, startTestServer } from './harness.ts'

const topic = 'session/s_1'

test('the status lists subscribers that are behind, the furthest first', async () => {
  const server = await startTestServer()
  const log = server.ring(topic)
  await openClient(server.url)
  const [fast, waiting, stalled] = [await greet(server.url), await greet(server.url), await greet(server.url)]
  await fast.call('topic.subscribe', { topic })
  await waiting.call('topic.subscribe', { topic, window: 100_000 })
  await stalled.call('topic.subscribe', { topic })
  stalled.ws.pause()
  const text = 'x'.repeat(10_000)
  for (let turn = 1; turn <= 400; turn++) {
    log.publish({ text }, { text }, { text })
    await until(() => expect(fast.events(topic).at(-1)?.seq).toBe(turn * 3), { interval: 1 })
  }
  const { behind, furthest, more } = server.subscribers()
  expect([behind, more]).toEqual([2, 0])
  expect(furthest).toMatchObject([
    { subscriptions: [{ seq: 9, lag: 1_191, state: 'waiting', window: { bytes: 100_000 } }] },
    { subscriptions: [{ state: 'behind' }] },
    { subscriptions: [{ topic, seq: 1_200, head: 1_200, lag: 0, state: 'live' }], unsentBytes: 0, more: 0 },
  ])
  const [waits, late] = furthest
  expect(waits).toMatchObject({ client: expect.stringMatching(/^c_/), name: 'test', role: 'control' })
  expect(waits!.subscriptions[0]!.window!.unackedBytes).toBeGreaterThan(90_000)
  expect(late!.unsentBytes).toBeGreaterThan(256 * 1_024)
  expect(late!.subscriptions[0]!.lag).toBeGreaterThan(100)
  stalled.ws.resume()
  await until(() => expect(server.subscribers().behind).toBe(1))
})

test('the status shows a bounded number of subscribers and cursors and counts the rest', () => {
  const cursor = (lag: number): SubscriptionStatus => ({ topic, seq: 1, head: 1 + lag, lag, state: 'behind' })
  const subscriber = (client: string, unsentBytes: number, lags: number[]) => ({
    client,
    name: '',
    role: 'observe' as const,
    connectedAt: 1,
    unsentBytes,
    subscriptions: lags.map(cursor),
  })
  const connected = [
    subscriber('c_none', 0, []),
    subscriber('c_near', 5, [0]),
    subscriber('c_far', 5, [1, 9, 3]),
    subscriber('c_unread', 6, [0]),
  ]
  const { behind, furthest, more } = subscribersStatus(connected, { maxSubscribersShown: 3, maxCursorsShown: 2 })
  expect([behind, more]).toEqual([3, 1])
  expect(
    furthest.map(({ client, subscriptions, more: rest }) => [client, subscriptions.map(({ lag }) => lag), rest]),
  ).toEqual([
    ['c_far', [9, 3], 1],
    ['c_unread', [0], 0],
    ['c_near', [0], 0],
  ])
})
