import { describe, expect, test } from 'vitest'
import { createRingLog } from '../../daemon/topics/logs/ring-log.ts'
import { greet, instance, socketOf, startTestServer } from './harness.ts'
import { until } from '../support/until.ts'

const topic = 'session/s_1'
const seqs = (events: { seq: number }[]) => events.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('topic.subscribe', () => {
  test('answers before the first events, also from a slow handler while events are published', async () => {
    const server = await startTestServer({
      handlers: {
        topic: {
          async subscribe(params, caller) {
            const answer = caller.subscriptions.subscribe(params)
            log.publish({}, {})
            await new Promise(resolve => setTimeout(resolve, 20))
            return answer
          },
        },
      },
    })
    const log = server.ring(topic)
    log.publish({})
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic, since: 'start' })
    await until(() => expect(seqs(client.events(topic))).toEqual([1, 2, 3]))
    const order = client.messages.slice(1).map(message => message.method ?? message.result)
    expect(order).toEqual([{ topic, epoch: instance, first: 1, head: 1, recovered: true }, 'events'])
  })

  test.each([
    ['without since sends only new events', undefined, { recovered: true }, [21]],
    ['since the end sends only new events', 'end', { recovered: true }, [21]],
    ['since the start sends all', 'start', { recovered: true }, range(11, 21)],
    ['since a cursor sends the events after it', { epoch: instance, seq: 17 }, { recovered: true }, range(18, 21)],
    ['since the head sends only new events', { epoch: instance, seq: 20 }, { recovered: true }, [21]],
    ['since just before the first sends all', { epoch: instance, seq: 10 }, { recovered: true }, range(11, 21)],
    [
      'since a trimmed cursor sends all',
      { epoch: instance, seq: 9 },
      { recovered: false, reason: 'trimmed' },
      range(11, 21),
    ],
    [
      'since ahead of the log sends all',
      { epoch: instance, seq: 21 },
      { recovered: false, reason: 'ahead_of_log' },
      range(11, 21),
    ],
    [
      'since another epoch sends all',
      { epoch: 'before', seq: 17 },
      { recovered: false, reason: 'epoch_changed' },
      range(11, 21),
    ],
  ])('%s', async (_title, since, recovery, expected) => {
    const server = await startTestServer()
    const log = server.ring(topic, { maxRecords: 10 })
    log.publish(...range(1, 20).map(() => ({})))
    const client = await greet(server.url)
    const { result } = await client.call('topic.subscribe', { topic, ...(since && { since }) })
    expect(result).toEqual({ topic, epoch: instance, first: 11, head: 20, ...recovery })
    // Wait for the existing events before the next one trims the oldest.
    await until(() => expect(seqs(client.events(topic))).toEqual(expected.filter(seq => seq <= 20)))
    log.publish({})
    await until(() => expect(seqs(client.events(topic))).toEqual(expected))
  })

  test('called again replaces the cursor and repeats no event', async () => {
    const server = await startTestServer()
    const log = server.ring(topic)
    log.publish({}, {})
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic, since: 'start' })
    await until(() => expect(seqs(client.events(topic))).toEqual([1, 2]))
    await client.call('topic.subscribe', { topic, since: { epoch: instance, seq: 2 } })
    await client.call('topic.subscribe', { topic, since: { epoch: instance, seq: 2 } })
    expect(server.subscriptions()).toBe(1)
    log.publish({})
    await client.call('ping')
    log.publish({})
    await until(() => expect(seqs(client.events(topic))).toEqual([1, 2, 3, 4]))
  })

  test('called five times in one turn sends the events once, after all answers', async () => {
    const server = await startTestServer()
    const log = server.ring(topic)
    log.publish({}, {})
    const client = await greet(server.url)
    const answers = range(1, 5).map(() => client.call('topic.subscribe', { topic, since: 'start' }))
    await Promise.all(answers)
    await until(() => expect(seqs(client.events(topic))).toEqual([1, 2]))
    expect(client.messages.at(-1)!.method).toBe('events')
  })

  test('is undone by topic.unsubscribe and by the end of the topic', async () => {
    const server = await startTestServer()
    const [one, two] = [server.ring(topic), server.ring('sessions')]
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic })
    await client.call('topic.subscribe', { topic: 'sessions' })
    expect(await client.call('topic.unsubscribe', { topic })).toMatchObject({ result: {} })
    expect(await client.call('topic.unsubscribe', { topic })).toMatchObject({ result: {} })
    one.publish({})
    two.publish({})
    await until(() => expect(client.events('sessions')).toHaveLength(1))
    server.logs.delete('sessions')
    server.hub.closed('sessions')
    expect(server.subscriptions()).toBe(0)
    expect(await client.call('topic.subscribe', { topic: 'sessions' })).toHaveProperty('error.data.kind', 'not_found')
    expect(client.events(topic)).toEqual([])
  })

  test('is limited by maxSubscriptions', async () => {
    const server = await startTestServer({ limits: { maxSubscriptions: 1 } })
    server.ring(topic)
    server.ring('sessions')
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic })
    expect(await client.call('topic.subscribe', { topic })).toHaveProperty('result')
    expect(await client.call('topic.subscribe', { topic: 'sessions' })).toMatchObject({
      error: { code: -32009, data: { kind: 'limit', limit: 'maxSubscriptions', value: 1 } },
    })
  })
})

test('all subscribers of a topic receive the same bytes, made of the stored texts', async () => {
  const server = await startTestServer()
  const log = server.ring(topic)
  const clients = [await greet(server.url), await greet(server.url)]
  for (const client of clients) await client.call('topic.subscribe', { topic })
  log.publish({ type: 'ü', text: '\u2028 "quoted" \ud83d\ude00' }, { n: 1e21 })
  for (const client of clients) await client.message(message => message.method === 'events')
  const stored = [log.whole(1), log.whole(2)].join(',')
  const expected = `{"jsonrpc":"2.0","method":"events","params":{"topic":"${topic}","epoch":"${instance}","events":[${stored}]}}`
  for (const client of clients) expect(client.texts.at(-1)).toBe(expected)
})

test('the events of a turn arrive as one message a topic, in one write with the answers', async () => {
  const server = await startTestServer({
    handlers: {
      session: {
        list: () => {
          for (let count = 0; count < 5; count++) one.publish({})
          two.publish({})
          return { sessions: [] }
        },
      },
    },
  })
  const [one, two] = [server.ring(topic), server.ring('sessions')]
  const client = await greet(server.url)
  await client.call('topic.subscribe', { topic })
  await client.call('topic.subscribe', { topic: 'sessions' })
  const before = client.texts.length
  const reads: number[] = []
  socketOf(client).on('data', (chunk: Buffer) => reads.push(chunk.length))
  await client.call('session.list', {})
  await until(() => expect(client.texts).toHaveLength(before + 3))
  expect(client.events(topic)).toHaveLength(5)
  expect(reads).toHaveLength(1)
})

describe('pages', () => {
  test('a replay is split after the event that exceeds the page size, and is complete', async () => {
    const server = await startTestServer({ limits: { eventsPageBytes: 1_000 } })
    const log = server.ring(topic)
    log.publish(...range(1, 100).map(n => ({ text: 'x'.repeat(n * 5) })))
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic, since: 'start' })
    await until(() => expect(seqs(client.events(topic))).toEqual(range(1, 100)))
    const pages = client.messages.flatMap(message => (message.method === 'events' ? [message.params!.events!] : []))
    for (const page of pages) {
      const sizes = page.map(event => JSON.stringify(event).length)
      expect(sizes.slice(0, -1).reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000)
    }
    expect(pages.length).toBeGreaterThan(20)
  })

  test('a burst larger than a page arrives complete and in order', async () => {
    const server = await startTestServer({ limits: { eventsPageBytes: 1_000, highWaterBytes: 4_000 } })
    const log = server.ring(topic)
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic })
    log.publish(...range(1, 5_000).map(() => ({ text: 'x'.repeat(50) })))
    await until(() => expect(seqs(client.events(topic))).toEqual(range(1, 5_000)))
  })

  test('a live topic does not wait for a replay on the same connection', async () => {
    const server = await startTestServer()
    const [long, live] = [server.ring(topic), server.ring('sessions')]
    for (let count = 0; count < 100; count++) long.publish(...range(1, 1_000).map(() => ({ text: 'x'.repeat(100) })))
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic: 'sessions' })
    await client.call('topic.subscribe', { topic, since: 'start' })
    live.publish({})
    await client.message(message => message.params?.topic === 'sessions')
    expect(client.events(topic).length).toBeLessThan(50_000)
    await until(() => expect(client.events(topic)).toHaveLength(100_000))
  })

  test('topic.read limits a page by count and bytes, and starts at the first kept event', async () => {
    const server = await startTestServer()
    const log = server.ring(topic, { maxRecords: 50 })
    log.publish(...range(1, 60).map(() => ({ text: 'x'.repeat(100_000) })))
    const client = await greet(server.url)
    const read = async (params: object) =>
      (await client.call('topic.read', { topic, ...params })).result as { events: { seq: number }[]; head: number }
    expect(seqs((await read({ after: 0, limit: 2 })).events)).toEqual([11, 12])
    expect(seqs((await read({ after: 11 })).events)).toEqual(range(12, 22))
    expect(await read({ after: 60 })).toEqual({ epoch: instance, first: 11, events: [], head: 60 })
    expect(await read({ after: 99 })).toMatchObject({ first: 11, events: [], head: 60 })
  })
})

test('a large event arrives cut, with its original size, and event.get returns all of it', async () => {
  const server = await startTestServer({ limits: { maxEventBytes: 2_000 } })
  const log = server.ring(topic)
  const client = await greet(server.url)
  await client.call('topic.subscribe', { topic })
  log.publish({ type: 'tool_result', output: 'ü'.repeat(5_000), isError: false })
  const { params } = await client.message(message => message.method === 'events')
  const [event] = params!.events as { output?: string }[]
  expect(event).toMatchObject({
    seq: 1,
    type: 'tool_result',
    isError: false,
    cut: { bytes: Buffer.byteLength(log.whole(1)!) },
  })
  expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(2_000)
  expect(event!.output).toMatch(/^ü+…$/)
  expect(await client.call('event.get', { topic, seq: 1 })).toMatchObject({
    result: { event: { output: 'ü'.repeat(5_000) } },
  })
  expect(await client.call('event.get', { topic, seq: 2 })).toHaveProperty('error.data.kind', 'not_found')
})

describe('a subscription with a window', () => {
  const text = 'x'.repeat(470)

  test('never has more unacked bytes than the window', async () => {
    const server = await startTestServer()
    const log = server.ring(topic)
    log.publish(...range(1, 20).map(() => ({ text })))
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic, since: 'start', window: 1_100 })
    const arrived = async (upTo: number) => {
      await until(() => expect(client.events(topic).at(-1)?.seq).toBe(upTo))
      await client.call('ping')
      expect(seqs(client.events(topic))).toEqual(range(1, upTo))
    }
    const ack = (seq: number) => client.send({ jsonrpc: '2.0', method: 'topic.ack', params: { topic, seq } })
    await arrived(2)
    for (const seq of [0, 1]) ack(seq)
    await arrived(3)
    for (const seq of [1, 0, 1, 1]) ack(seq)
    log.publish({ text })
    await arrived(3)
    // An ack ahead of the sent events counts up to the last sent one.
    ack(1_000)
    await arrived(5)
    for (let seq = 5; seq < 21; seq += 2) {
      ack(seq)
      await arrived(Math.min(seq + 2, 21))
    }
  })

  test('gets an event larger than the window alone', async () => {
    const server = await startTestServer()
    const log = server.ring(topic)
    log.publish({ text }, { text: text.repeat(10) }, { text })
    const client = await greet(server.url)
    await client.call('topic.subscribe', { topic, since: 'start', window: 1_100 })
    for (let seq = 1; seq <= 3; seq++) {
      await until(() => expect(seqs(client.events(topic))).toEqual(range(1, seq)))
      client.send({ jsonrpc: '2.0', method: 'topic.ack', params: { topic, seq } })
    }
  })
})

test('a topic whose log keeps one record serves only the latest value', async () => {
  const log = createRingLog({ epoch: instance, maxRecords: 1, maxBytes: Infinity, maxEventBytes: 1_000 })
  const server = await startTestServer({ logs: { daemon: log } })
  for (const state of ['running', 'disk_full', 'running']) log.append({ type: 'daemon_status', state }, 1)
  const client = await greet(server.url)
  expect(await client.call('topic.subscribe', { topic: 'daemon', since: 'start' })).toMatchObject({
    result: { first: 3, head: 3 },
  })
  await until(() =>
    expect(client.events('daemon')).toEqual([{ seq: 3, time: 1, type: 'daemon_status', state: 'running' }]),
  )
})

test('a log that cannot be read is logged and ends only the connection that reads it', async () => {
  const server = await startTestServer()
  const log = server.ring(topic)
  server.ring('sessions')
  const [reader, other] = [await greet(server.url), await greet(server.url)]
  await reader.call('topic.subscribe', { topic })
  await other.call('topic.subscribe', { topic: 'sessions' })
  const broken = server.logs.get(topic)!
  broken.read = () => {
    throw new Error('disk I/O error')
  }
  log.publish({})
  await reader.closed
  expect(server.logged).toMatchObject([{ details: { error: { message: 'disk I/O error' } } }])
  expect(await other.call('ping')).toHaveProperty('result')
})
