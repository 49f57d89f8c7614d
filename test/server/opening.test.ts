import { expect, test } from 'vitest'
import { greet, helloParams, openClient, startTestServer } from './harness.ts'

test('hello returns the protocol version, the role and a new client id', async () => {
  const { url } = await startTestServer({ limits: { maxRuns: 3 } })
  const client = await openClient(url)
  const { result } = await client.call('hello', helloParams)
  expect(result).toEqual({
    protocol: 2,
    clientId: expect.stringMatching(/^c_[\w-]{21}$/),
    role: 'control',
    daemon: { version: '0.0.1', instance: 'instance-1', node: 'test-node' },
    agents: [],
    limits: { maxMessageBytes: 4_194_304, maxEventBytes: 262_144, maxRuns: 3, unattendedMs: 60_000 },
  })
})

test('a subscriber receives stored and new events in order', async () => {
  const server = await startTestServer()
  const log = server.ring('sessions')
  log.publish({ type: 'a' })
  const client = await greet(server.url)
  await client.call('topic.subscribe', { topic: 'sessions', since: 'start' })
  await client.message(m => m.method === 'events')
  log.publish({ type: 'b' }, { type: 'c' })
  await client.message(m => m.params?.events?.[0]?.seq === 2)
  expect(client.events('sessions')).toEqual([
    { seq: 1, time: 1, type: 'a' },
    { seq: 2, time: 1, type: 'b' },
    { seq: 3, time: 1, type: 'c' },
  ])
})
