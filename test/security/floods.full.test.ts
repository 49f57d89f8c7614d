import { describe, expect, it } from 'vitest'
import { greet, openClient, startTestServer, tokens } from '../server/harness.ts'
import { frame, openRawWebSocket } from '../support/raw-socket.ts'
import { unsentBytes } from '../support/unsent-bytes.ts'
import { until } from '../support/until.ts'

const megabyte = 1024 * 1024

const call = (id: number, method: string, params: object = {}) =>
  frame({ payload: JSON.stringify({ jsonrpc: '2.0', id, method, params }) })

describe('a client that calls without reading', () => {
  it('has bounded unsent answers, delays no other client, and gets every answer when it reads', async () => {
    const calls = 10_000
    // Large enough that the kernel's buffers are negligible.
    const status = { answer: 'x'.repeat(2_000) }
    const server = await startTestServer({
      checkResults: false,
      handlers: { daemon: { status: () => status as never } },
    })
    const other = await greet(server.url)
    const raw = await openRawWebSocket(server.port, tokens.control)
    raw.pause()
    const padding = 'x'.repeat(4_000)
    const sent = raw.write(
      Buffer.concat(Array.from({ length: calls }, (_, id) => call(id, 'daemon.status', { padding }))),
    )
    // Wait until the kernel's buffers are full in both directions.
    let most = 0
    let before: number
    do {
      before = raw.unsentBytes()
      for (let count = 0; count < 20; count++) {
        expect(await other.call('ping')).toHaveProperty('result')
        most = Math.max(most, unsentBytes() - raw.unsentBytes())
      }
    } while (raw.unsentBytes() !== before)
    // The bound of 4 MiB, and the answers to calls in the same read as the call that exceeded it.
    expect(most).toBeLessThan(4.5 * megabyte)
    expect(raw.unsentBytes()).toBeGreaterThan(megabyte)
    raw.resume()
    await sent
    const found = (what: RegExp) => raw.received().toString('latin1').match(what)?.length
    await until(() => expect(found(/"id":\d+,/g)).toBe(calls), { timeout: 60_000, interval: 200 })
    expect(found(/"result":{"answer"/g)).toBeGreaterThan(100)
  })
})

describe('many connections that call without reading', () => {
  it('share a bound of unsent bytes for their role, and the other role is unaffected', async () => {
    const observers = 24
    const bound = 8 * megabyte
    const server = await startTestServer({ checkResults: false, limits: { maxRoleUnreadBytes: bound } })
    const event = { type: 'notice', text: 'x'.repeat(megabyte) }
    server.ring('session/s_a').publish(event)
    const control = await greet(server.url)
    const asked = { topic: 'session/s_a', seq: 1 }
    const raws = []
    let most = 0
    for (let count = 0; count < observers; count++) {
      const raw = await openRawWebSocket(server.port, tokens.observe)
      raw.pause()
      raws.push(raw)
      void raw.write(Buffer.concat(Array.from({ length: 40 }, (_, id) => call(id, 'event.get', asked))))
      expect((await control.call('event.get', asked)).result).toMatchObject({ event })
      most = Math.max(most, unsentBytes() - raws.reduce((sum, each) => sum + each.unsentBytes(), 0))
    }
    // The bound, one more answer, and the errors that each connection gets before the server stops reading from it.
    expect(most).toBeLessThan(bound + 2 * megabyte + observers * 128 * 1024)
    // The test proves something only if the bound is reached.
    expect(most).toBeGreaterThan(bound / 2)
    const observer = await greet(server.url, { token: tokens.observe })
    expect((await observer.call('event.get', asked)).error?.data).toMatchObject({
      kind: 'overloaded',
      retryable: true,
      limit: 'maxRoleUnreadBytes',
      value: bound,
    })
    // When the connections read again, there is room, and each call gets its answer.
    for (const raw of raws) raw.resume()
    const answers = (received: Buffer) => received.toString('latin1').match(/"id":\d+,"(result|error)"/g)?.length
    for (const raw of raws)
      await until(() => expect(answers(raw.received())).toBe(40), { timeout: 60_000, interval: 100 })
    expect((await observer.call('event.get', asked)).result).toMatchObject({ event })
  })
})

describe('many connections that never say hello', () => {
  it('are all closed in time while another client works', async () => {
    const server = await startTestServer({ limits: { helloTimeoutMs: 1_000 } })
    const silent = await Promise.all(Array.from({ length: 200 }, () => openClient(server.url)))
    expect(await (await greet(server.url)).call('ping')).toHaveProperty('result')
    const ends = await Promise.all(silent.map(({ closed }) => closed))
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([4506]))
    await until(() => expect(server.connections()).toBe(1))
  })

  it('get no more time by sending pings', async () => {
    const server = await startTestServer({ limits: { helloTimeoutMs: 300 } })
    const client = await openClient(server.url)
    const pinging = setInterval(() => client.send({ jsonrpc: '2.0', id: 1, method: 'ping' }), 20)
    expect(await client.closed).toMatchObject({ code: 4506 })
    clearInterval(pinging)
  })
})

describe('the bounds of a connection', () => {
  it('maxSubscriptions rejects one more subscription until another one ends', async () => {
    const server = await startTestServer({ limits: { maxSubscriptions: 3 } })
    const topics = ['a', 'b', 'c', 'd'].map(id => `session/s_${id}`)
    for (const topic of topics) server.ring(topic)
    const client = await greet(server.url)
    for (const topic of topics.slice(0, 3))
      expect(await client.call('topic.subscribe', { topic })).toHaveProperty('result')
    const [first, , , beyond] = topics
    expect(await client.call('topic.subscribe', { topic: beyond! })).toMatchObject({
      error: { data: { kind: 'limit', limit: 'maxSubscriptions', value: 3 } },
    })
    // A repeated subscription to a topic is allowed at the limit.
    expect(await client.call('topic.subscribe', { topic: first! })).toHaveProperty('result')
    await client.call('topic.unsubscribe', { topic: first! })
    expect(await client.call('topic.subscribe', { topic: beyond! })).toHaveProperty('result')
    expect(server.hub.subscriptions()).toBe(3)
  })
})
