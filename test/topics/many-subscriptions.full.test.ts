import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { createJournal } from '../../daemon/store/journal/journal.ts'
import type { EventRow, Store } from '../../daemon/store/store.ts'
import type { Since } from '../../daemon/topics/delivery/cursor.ts'
import { createPublisher } from '../../daemon/topics/publisher.ts'
import { createSessionLogs } from '../../daemon/topics/logs/session-logs.ts'
import { type Message, greet, startTestServer } from '../server/harness.ts'
import { tempStore } from '../store/temp-store.ts'
import { entry, event, session as sessionRecord } from '../support/records.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, type LogEvent } from '../support/whole-log.ts'
import { testSeed } from '../support/test-seed.ts'

const sessions = Array.from({ length: 50 }, (_, index) => `s_${index}`)
const connections = 20
const eventsPerRun = 40
const perSecond = 10_000
const seconds = 2

/** The events of one subscription, from its answer to the answer of the connection's next subscription on the topic. */
interface Received {
  after: number
  events: LogEvent[]
  replaced: boolean
}

test('1,000 subscriptions from any cursor get each event once and in order at 10,000 events a second', async () => {
  const { store } = tempStore()
  const daemon = await startDaemon(store)
  for (const session of sessions) daemon.append(session, 200)
  const clients = await Promise.all(Array.from({ length: connections }, () => openSubscriber(daemon.url, store.epoch)))

  // Each connection subscribes once to each session, in random order, and then again to some.
  const asked = fc.sample(asking, { seed: testSeed(6), numRuns: connections * sessions.length * 1.25 })
  const appended = appendAtRate(daemon.append)
  await Promise.all(
    clients.map(async (client, first) => {
      for (let index = first, round = 0; index < asked.length; index += connections, round++) {
        const { since, window, session } = asked[index]!
        const name = sessions[round < sessions.length ? round : session]!
        await client.subscribe(name, since, window, daemon.head(name))
      }
    }),
  )
  await appended
  await daemon.settled()

  expect(daemon.subscriptions()).toBe(connections * sessions.length)
  for (const session of sessions) {
    const texts = store.events.read(session, 0, daemon.head(session), Infinity)
    const log = texts.map(text => JSON.parse(text) as LogEvent)
    for (const client of clients) {
      const received = client.received(session)
      const last = received.at(-1)!
      await until(() => expect(last.after + last.events.length).toBe(log.length))
      for (const { after, events, replaced } of received) {
        // A replaced subscription is complete up to its replacement.
        const end = replaced ? after + events.length : log.length
        const running = replaced ? runsOf(events) : []
        expectWholeLog(events, { log: log.slice(0, end), after, running })
      }
    }
  }
})

const asking = fc.record({
  since: fc.oneof(fc.constantFrom('start' as const, 'end' as const), fc.double({ min: 0, max: 1, noNaN: true })),
  window: fc.constantFrom(undefined, undefined, 2_048, 65_536),
  session: fc.nat(sessions.length - 1),
})

const runsOf = (events: readonly LogEvent[]) => [...new Set(events.map(({ run }) => String(run)))]

/**
 * Connects store, journal, topics and server as the daemon does, with little memory, so that most events are read from
 * SQLite.
 */
async function startDaemon(store: Store) {
  const server = await startTestServer()
  const bounds = { sessionBytes: 8_192, totalBytes: 128 * 1024 }
  const logs = createSessionLogs({ events: store.events, epoch: store.epoch, maxEventBytes: 262_144, bounds })
  const journal = createJournal(
    store,
    createPublisher({ logs, sessions: server.ring('sessions'), hub: server.hub, now: Date.now }),
  )
  const heads = new Map<string, number>()
  for (const session of sessions) {
    store.sessions.add(sessionRecord(session))
    server.logs.set(`session/${session}`, logs.open(session))
  }
  return {
    url: server.url,
    subscriptions: server.subscriptions,
    settled: () => journal.settled(),
    /** Returns the `seq` of the last published event. */
    head: (session: string) => logs.open(session).head(),
    append(session: string, count: number) {
      const from = (heads.get(session) ?? 0) + 1
      const rows = Array.from({ length: count }, (_, index) => eventOfRun(session, from + index))
      heads.set(session, from + count - 1)
      journal.append(entry(session, rows, { durable: rows.some(({ type }) => type === 'done') }))
    },
  }
}

function eventOfRun(session: string, seq: number): EventRow {
  const run = `r_${session}_${Math.floor((seq - 1) / eventsPerRun)}`
  return event(seq, {
    run,
    type: seq % eventsPerRun === 0 ? 'done' : 'assistant_text',
    delta: `ü ${seq} `.repeat(seq % 20),
  })
}

/**
 * Appends events at a fixed rate, one run at a time, in each session in turn. Falls behind on a busy machine. Every run
 * ends.
 */
async function appendAtRate(append: (session: string, count: number) => void): Promise<void> {
  const chunk = 8
  const total = perSecond * seconds
  const startedAt = performance.now()
  let done = 0
  while (done < total) {
    const due = Math.min(total, ((performance.now() - startedAt) * perSecond) / 1_000)
    for (; done < due; done += chunk) append(sessions[(done / chunk) % sessions.length]!, chunk)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** Opens a connection that keeps everything it receives. With a window, it acknowledges each message on arrival. */
async function openSubscriber(url: string, epoch: string) {
  const { ws, send } = await greet(url)
  ws.removeAllListeners('message')
  onTestFinished(() => ws.terminate())
  const bySession = new Map<string, Received[]>()
  const windowed = new Map<string, boolean>()
  const answers = new Map<number, { session: string; answered(): void }>()
  let lastId = 1_000
  ws.on('message', data => {
    const { id, result, error, params } = JSON.parse((data as Buffer).toString()) as Message
    if (error) throw new Error(error.message)
    if (result) {
      const { session, answered } = answers.get(Number(id))!
      const received = bySession.get(session) ?? []
      bySession.set(session, received)
      if (received.length > 0) received.at(-1)!.replaced = true
      received.push({ after: afters.get(Number(id)) ?? Number(result['head']), events: [], replaced: false })
      answered()
      return
    }
    if (!params?.events) return
    const topic = params.topic!
    const session = topic.slice('session/'.length)
    const { events } = bySession.get(session)!.at(-1)!
    events.push(...(params.events as unknown as LogEvent[]))
    if (windowed.get(session)) {
      send({ jsonrpc: '2.0', method: 'topic.ack', params: { topic, seq: params.events.at(-1)!.seq } })
    }
  })
  /** Where each subscription begins, by the id of its call. Without an entry, it begins at the head in its answer. */
  const afters = new Map<number, number>()
  return {
    received: (session: string) => bySession.get(session) ?? [],
    subscribe(
      session: string,
      place: 'start' | 'end' | number,
      window: number | undefined,
      head: number,
    ): Promise<void> {
      const id = ++lastId
      const since: Since = typeof place === 'number' ? { epoch, seq: Math.floor(place * head) } : place
      if (since !== 'end') afters.set(id, since === 'start' ? 0 : since.seq)
      windowed.set(session, window !== undefined)
      const params = { topic: `session/${session}`, since, ...(window !== undefined && { window }) }
      return new Promise(answered => {
        answers.set(id, { session, answered })
        send({ jsonrpc: '2.0', id, method: 'topic.subscribe', params })
      })
    },
  }
}
