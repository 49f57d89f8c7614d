import { expect, test } from 'vitest'
import { greet, openClient, startTestServer } from './harness.ts'
import { until } from '../support/until.ts'

test('an idle connection gets heartbeats with the heads of its topics, also while it owes acks', async () => {
  const server = await startTestServer({ limits: { heartbeatMs: 50 } })
  const log = server.ring('sessions')
  log.publish({ text: 'x'.repeat(2_000) }, { text: 'x'.repeat(2_000) })
  const client = await greet(server.url)
  await client.call('topic.subscribe', { topic: 'sessions', since: 'start', window: 1_024 })
  const { params } = await client.message(message => message.method === 'heartbeat')
  expect(params).toEqual({ time: expect.any(Number), heads: { sessions: 2 } })
  expect(client.events('sessions')).toHaveLength(1)
})

test('no heartbeat is sent before hello', async () => {
  const server = await startTestServer({ limits: { heartbeatMs: 20 } })
  const client = await openClient(server.url)
  let pings = 0
  client.ws.on('ping', () => pings++)
  await until(() => expect(pings).toBeGreaterThan(2))
  expect(client.messages).toEqual([])
})

test('a client that answers pings stays connected', async () => {
  const server = await startTestServer({ limits: { heartbeatMs: 20, pongTimeoutMs: 100 } })
  const client = await greet(server.url)
  let pings = 0
  client.ws.on('ping', () => pings++)
  await until(() => expect(pings).toBeGreaterThan(15))
  expect(await client.call('ping')).toHaveProperty('result')
})

test('a client that does not answer pings is closed with 4012', async () => {
  const server = await startTestServer({ limits: { heartbeatMs: 30, pongTimeoutMs: 100 } })
  const client = await greet(server.url, { autoPong: false })
  await expect(client.closed).resolves.toMatchObject({ code: 4012 })
  expect(client.messages.at(-1)).toMatchObject({ method: 'bye', params: { code: 4012, reconnect: true } })
})

test('a peer that stops reading is disconnected', async () => {
  const server = await startTestServer({ limits: { heartbeatMs: 30, pongTimeoutMs: 100, closeTimeoutMs: 100 } })
  const client = await greet(server.url)
  client.ws.pause()
  await until(() => expect(server.connections()).toBe(0))
})

test('closing the server sends bye to every client and rejects new connections', async () => {
  const server = await startTestServer()
  server.ring('sessions')
  const clients = [await greet(server.url), await greet(`ws+unix://${server.socketPath}:/ws`, { token: null })]
  for (const client of clients) await client.call('topic.subscribe', { topic: 'sessions' })
  const closed = server.close({ code: 4001, reason: 'an update', reconnect: true })
  for (const client of clients) {
    await expect(client.closed).resolves.toEqual({ code: 4001, reason: 'an update' })
    const bye = { code: 4001, reason: 'an update', reconnect: true }
    expect(client.messages.at(-1)).toEqual({ jsonrpc: '2.0', method: 'bye', params: bye })
  }
  await closed
  expect(server.connections()).toBe(0)
  await expect(openClient(server.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('closing the server disconnects a client that does not close', async () => {
  const server = await startTestServer({ limits: { closeTimeoutMs: 100 } })
  const client = await greet(server.url)
  client.ws.pause()
  await server.close({ code: 4000, reason: 'stop' })
  expect(server.connections()).toBe(0)
})

test('a client that closes leaves no connection or subscription behind', async () => {
  const server = await startTestServer()
  server.ring('sessions')
  const client = await greet(server.url)
  await client.call('topic.subscribe', { topic: 'sessions' })
  client.ws.close()
  await until(() => expect([server.connections(), server.subscriptions()]).toEqual([0, 0]))
})
