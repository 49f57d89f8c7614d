import { describe, expect, onTestFinished, test } from 'vitest'
import { greet, startTestServer, type TestClient } from './harness.ts'
import { openSlowLine, type SlowLine } from '../support/slow-line.ts'
import { unsentBytes } from '../support/unsent-bytes.ts'
import { until } from '../support/until.ts'

const topic = 'session/s_1'
const megabyte = 1024 * 1024

async function startSlowLine(port: number, bytesPerSecond: number): Promise<SlowLine> {
  const line = await openSlowLine(port, bytesPerSecond)
  onTestFinished(line.close)
  return line
}

const isContiguous = (events: { seq: number }[], head: number) =>
  events.length === head && events.every(({ seq }, index) => seq === index + 1)

describe('a stalled reader', () => {
  test('costs at most the high-water mark and a page, delays no other reader, and catches up on resuming', async () => {
    const server = await startTestServer()
    const log = server.ring(topic)
    const fast = await greet(server.url)
    await fast.call('topic.subscribe', { topic })
    const stalled: TestClient[] = []
    for (let count = 0; count < 5; count++) {
      const client = await greet(server.url)
      await client.call('topic.subscribe', { topic })
      client.ws.pause()
      stalled.push(client)
    }
    let most = 0
    const text = 'x'.repeat(10_000)
    for (let turn = 1; turn <= 800; turn++) {
      log.publish(...Array.from({ length: 4 }, () => ({ text })))
      await until(() => expect(fast.events(topic).at(-1)?.seq).toBe(turn * 4), { interval: 1 })
      most = Math.max(most, unsentBytes())
    }
    // 32 MB were published, less than a page a turn. The high-water mark is 256 KiB, a page 64 KiB.
    expect(most).toBeGreaterThan(256 * 1024)
    expect(most).toBeLessThanOrEqual(5 * (256 + 64) * 1024)
    for (const client of stalled) {
      client.ws.resume()
      await until(() => expect(isContiguous(client.events(topic), 3_200)).toBe(true), {
        timeout: 20_000,
        interval: 20,
      })
    }
    expect(isContiguous(fast.events(topic), 3_200)).toBe(true)
  })

  test('is closed with 4008 after stallTimeoutMs, and gets bye if it reads on', async () => {
    const server = await startTestServer({ limits: { stallTimeoutMs: 200, highWaterBytes: 16 * megabyte } })
    const log = server.ring(topic)
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic })
    client.ws.pause()
    log.publish(...Array.from({ length: 160 }, () => ({ text: 'x'.repeat(100_000) })))
    await until(() => expect(server.subscriptions()).toBe(0))
    client.ws.resume()
    await expect(client.closed).resolves.toMatchObject({ code: 4008 })
    expect(client.messages.at(-1)).toMatchObject({ method: 'bye', params: { code: 4008, reconnect: true } })
  })

  test('is disconnected when it does not read on after the close', async () => {
    const server = await startTestServer({
      limits: { stallTimeoutMs: 100, closeTimeoutMs: 100, highWaterBytes: 16 * megabyte },
    })
    const log = server.ring(topic)
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic })
    client.ws.pause()
    log.publish(...Array.from({ length: 160 }, () => ({ text: 'x'.repeat(100_000) })))
    await until(() => expect(server.connections()).toBe(0))
  })

  // The limits are a twentieth of the defaults, so a reader of 20 KB/s here stands for one of 1 KB/s.
  const twentieth = { heartbeatMs: 750, pongTimeoutMs: 1_500, stallTimeoutMs: 3_000 }

  test.each([
    ['all data and pings fit into the kernel buffer', 100],
    ['the kernel buffer is mostly full', 1_600],
  ])('stays connected while it reads slowly: %s', async (_title, count) => {
    const server = await startTestServer({ limits: twentieth })
    server.ring(topic).publish(...Array.from({ length: count }, () => ({ text: 'x'.repeat(10_000) })))
    const line = await startSlowLine(server.port, Infinity)
    const client = await greet(line.url, { headers: line.headers })
    line.setBytesPerSecond(20_000)
    await client.call('topic.subscribe', { topic, since: 'start' })
    const before = line.readBytes()
    await until(() => expect(line.readBytes() - before).toBeGreaterThan(150_000))
    line.setBytesPerSecond(Infinity)
    await until(() => expect(isContiguous(client.events(topic), count)).toBe(true))
    expect(await client.call('ping')).toHaveProperty('result')
    expect(client.messages.filter(({ method }) => method === 'bye')).toEqual([])
  })

  test('is disconnected when it reads nothing from the kernel buffer', async () => {
    const server = await startTestServer({ limits: { ...twentieth, closeTimeoutMs: 100 } })
    server.ring(topic).publish(...Array.from({ length: 100 }, () => ({ text: 'x'.repeat(10_000) })))
    const line = await startSlowLine(server.port, Infinity)
    const client = await greet(line.url, { headers: line.headers })
    line.setBytesPerSecond(0)
    client.send({ jsonrpc: '2.0', id: 2, method: 'topic.subscribe', params: { topic, since: 'start' } })
    await until(() => expect(server.connections()).toBe(0))
  })
})

test('unsent answers to a client that never reads are bounded, and it gets all of them on resuming', async () => {
  const server = await startTestServer({ limits: { maxUnreadBytes: 256 * 1024 } })
  const log = server.ring(topic)
  log.publish(...Array.from({ length: 10 }, () => ({ text: 'x'.repeat(100_000) })))
  const other = await greet(server.url)
  const client = await greet(server.url)
  client.ws.pause()
  for (let id = 1_000; id < 3_000; id++)
    client.send({ jsonrpc: '2.0', id, method: 'topic.read', params: { topic, after: 0 } })
  let most = 0
  for (let count = 0; count < 50; count++) {
    await other.call('ping')
    most = Math.max(most, unsentBytes())
  }
  // The bound, one more answer, and the errors for the calls of one read.
  expect(most).toBeLessThan(3 * megabyte)
  client.ws.resume()
  await until(() => expect(client.messages.filter(({ id }) => Number(id) >= 1_000)).toHaveLength(2_000), {
    timeout: 20_000,
  })
  // The server reads many calls at once: those behind the call whose answer exceeds the bound are refused.
  const refused = client.messages.flatMap(({ error }) => error ?? [])
  expect(refused.length).toBeGreaterThan(0)
  expect(new Set(refused.map(({ data }) => data['limit']))).toEqual(new Set(['maxUnreadBytes']))
})
