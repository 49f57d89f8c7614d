import { expect, test } from 'vitest'
import { limits } from '../../protocol/limits.ts'
import { createHub } from '../../daemon/topics/hub.ts'
import type { Sink } from '../../daemon/topics/outbox.ts'
import { createRingLog } from '../../daemon/topics/ring-log.ts'
import { createSessionLogs } from '../../daemon/topics/session-logs.ts'
import { tempStore } from '../store/temp-store.ts'
import { events, session } from '../support/records.ts'
import { simulatedSocket } from './simulated-socket.ts'

function setUp(topics: readonly string[]) {
  const bounds = { epoch: 'i', maxRecords: Infinity, maxBytes: Infinity, maxEventBytes: limits.maxEventBytes }
  const logs = new Map(topics.map(topic => [topic, createRingLog(bounds)] as const))
  const hub = createHub({ lookup: topic => logs.get(topic), limits })
  /** A connection whose socket takes everything at once. */
  const connect = () => {
    const writes: Buffer[][] = []
    const sink: Sink = {
      unsentBytes: () => 0,
      write: chunks => void writes.push([...chunks]),
      fault(error) {
        throw error
      },
    }
    return { outbox: hub.attach(sink), writes }
  }
  const publish = (topic: string, count: number, size = 10) => {
    for (let n = 0; n < count; n++) logs.get(topic)!.append({ text: 'x'.repeat(size) }, 1)
    hub.published(topic)
  }
  return { hub, connect, publish }
}

test('everything due to a connection in a turn, of all its topics and with its answers, is one write of shared bytes', () => {
  const { hub, connect, publish } = setUp(['sessions', 'daemon'])
  const connections = [connect(), connect()]
  for (const { outbox } of connections) {
    outbox.subscribe({ topic: 'sessions' })
    outbox.subscribe({ topic: 'daemon' })
    outbox.release()
  }
  hub.flush()
  publish('sessions', 16)
  for (const { outbox } of connections) outbox.send('{}')
  publish('daemon', 3)
  publish('sessions', 1)
  hub.flush()
  const [one, two] = connections.map(({ writes }) => writes)
  expect(one!.map(chunks => chunks.length)).toEqual([3])
  expect(two!.map(chunks => chunks.length)).toEqual([3])
  // Not equal bytes: the very same ones.
  for (const index of [1, 2]) expect(one![0]![index]).toBe(two![0]![index])
})

test('what is replayed in a turn is bounded over all connections, whatever their number, and live events go out beside it', () => {
  const { hub, connect, publish } = setUp(['sessions', 'daemon'])
  publish('sessions', 10_000, 1_000)
  const live = connect()
  live.outbox.subscribe({ topic: 'daemon' })
  live.outbox.release()
  hub.flush()
  const replaying = Array.from({ length: 20 }, () => connect())
  for (const { outbox } of replaying) {
    outbox.subscribe({ topic: 'sessions', since: 'start' })
    outbox.release()
  }
  const bytesOf = () => replaying.flatMap(({ writes }) => writes.flat()).reduce((sum, { length }) => sum + length, 0)
  for (let turn = 1; turn <= 10; turn++) {
    const before = bytesOf()
    publish('daemon', 1)
    hub.flush()
    expect(bytesOf() - before).toBeGreaterThan(0)
    expect(bytesOf() - before).toBeLessThanOrEqual(limits.highWaterBytes + 2 * limits.eventsPageBytes)
    expect(live.writes).toHaveLength(turn)
  }
  // In turn: nobody had two pages more than another.
  const pages = replaying.map(({ writes }) => writes.flat().length)
  expect(Math.max(...pages) - Math.min(...pages)).toBeLessThanOrEqual(1)
  for (const { outbox } of replaying) outbox.close()
})

test('a session that is deleted while it is read ends the subscription, not the connection', () => {
  const { store } = tempStore()
  store.sessions.save(session('s_1'))
  store.events.append('s_1', events(1, 10_000))
  const topic = 'session/s_1'
  const logs = createSessionLogs({ events: store.events, epoch: store.epoch, maxEventBytes: limits.maxEventBytes })
  const hub = createHub({ lookup: () => (store.sessions.get('s_1') ? logs.open('s_1') : undefined), limits })
  const socket = simulatedSocket()
  const outbox = hub.attach(socket.sink)
  outbox.subscribe({ topic, since: 'start' })
  outbox.release()
  hub.flush()
  socket.read()
  // Committed; topics hear of it only once it is on the disk.
  store.sessions.delete('s_1')
  outbox.send('{"id":1}')
  hub.flush()
  expect(socket.read().map(({ message }) => message)).toEqual([{ id: 1 }])
  expect(hub.subscriptions()).toBe(0)
})
