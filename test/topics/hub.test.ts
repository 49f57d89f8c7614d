import { expect, test } from 'vitest'
import { limits } from '../../protocol/limits.ts'
import { createHub } from '../../daemon/topics/delivery/hub.ts'
import type { Sink } from '../../daemon/topics/delivery/delivery.ts'
import type { TopicLog } from '../../daemon/topics/logs/topic-log.ts'
import { createRingLog } from '../../daemon/topics/logs/ring-log.ts'
import { createSessionLogs } from '../../daemon/topics/logs/session-logs.ts'
import { tempStore } from '../store/temp-store.ts'
import { event, events, session } from '../support/records.ts'
import { simulatedSocket } from './simulated-socket.ts'

function setUp(topics: readonly string[]) {
  const bounds = { epoch: 'i', maxRecords: Infinity, maxBytes: Infinity, maxEventBytes: limits.maxEventBytes }
  const logs = new Map(topics.map(topic => [topic, createRingLog(bounds)] as const))
  const hub = createHub({ lookup: topic => logs.get(topic), limits })
  /** Attaches a connection whose socket accepts everything at once. */
  const connect = () => {
    const writes: Buffer[][] = []
    const sink: Sink = {
      unsentBytes: () => 0,
      write: chunks => void writes.push([...chunks]),
      fault(error) {
        throw error
      },
    }
    return { sendQueue: hub.attach(sink), writes }
  }
  const publish = (topic: string, count: number, size = 10) => {
    for (let n = 0; n < count; n++) logs.get(topic)!.append({ text: 'x'.repeat(size) }, 1)
    hub.published(topic)
  }
  return { hub, connect, publish }
}

test("a turn writes a connection's events and answers at once, in buffers shared with other connections", () => {
  const { hub, connect, publish } = setUp(['sessions', 'daemon'])
  const connections = [connect(), connect()]
  for (const { sendQueue } of connections) {
    sendQueue.subscribe({ topic: 'sessions' })
    sendQueue.subscribe({ topic: 'daemon' })
    sendQueue.release()
  }
  hub.flush()
  publish('sessions', 16)
  for (const { sendQueue } of connections) sendQueue.send('{}')
  publish('daemon', 3)
  publish('sessions', 1)
  hub.flush()
  const [one, two] = connections.map(({ writes }) => writes)
  expect(one!.map(chunks => chunks.length)).toEqual([3])
  expect(two!.map(chunks => chunks.length)).toEqual([3])
  // The same buffers, not only equal bytes.
  for (const index of [1, 2]) expect(one![0]![index]).toBe(two![0]![index])
})

test('each turn writes live events before a bounded portion of replay, and replays take turns', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_old'))
  store.sessions.add(session('s_live'))
  store.events.append('s_old', events(1, 100_000, { delta: 'x'.repeat(100) }))
  const logs = createSessionLogs({ events: store.events, epoch: store.epoch, maxEventBytes: limits.maxEventBytes })
  const reads: string[] = []
  const lookup = (topic: string): TopicLog => {
    const log = logs.open(topic.slice('session/'.length))
    return { ...log, read: (...place) => (reads.push(topic), log.read(...place)) }
  }
  const hub = createHub({ lookup, limits })
  const subscribe = (topic: string, since: 'start' | 'end') => {
    const socket = simulatedSocket()
    const sendQueue = hub.attach({
      ...socket.sink,
      unsentBytes: () => 0,
      write(chunks, onWritten) {
        if (topic === 'session/s_live') reads.push('live events are written')
        socket.sink.write(chunks, onWritten)
      },
    })
    sendQueue.subscribe({ topic, since })
    sendQueue.release()
    return { sendQueue, socket }
  }
  const live = subscribe('session/s_live', 'end')
  hub.flush()
  const replaying = Array.from({ length: 20 }, () => subscribe('session/s_old', 'start'))
  const bytesOf = () =>
    replaying.flatMap(({ socket }) => socket.writes.flat()).reduce((sum, { length }) => sum + length, 0)

  for (let turn = 1; turn <= 20; turn++) {
    const before = bytesOf()
    logs.publish('s_live', [event(turn)])
    hub.published('session/s_live')
    reads.length = 0
    hub.flush()
    expect(bytesOf() - before).toBeGreaterThan(0)
    expect(bytesOf() - before).toBeLessThanOrEqual(limits.highWaterBytes + 2 * limits.eventsPageBytes)
    expect(live.socket.writes).toHaveLength(turn)
    expect(reads.slice(0, 3)).toEqual(['session/s_live', 'live events are written', 'session/s_old'])
  }
  // The connections take turns: no connection is two pages ahead of another.
  const pages = replaying.map(({ socket }) => socket.writes.flat().length)
  expect(Math.max(...pages) - Math.min(...pages)).toBeLessThanOrEqual(1)
  for (const { sendQueue } of [live, ...replaying]) sendQueue.close()
})

test('deleting a session during a read ends the subscription, not the connection', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  store.events.append('s_1', events(1, 10_000))
  const topic = 'session/s_1'
  const logs = createSessionLogs({ events: store.events, epoch: store.epoch, maxEventBytes: limits.maxEventBytes })
  const hub = createHub({ lookup: () => (store.sessions.get('s_1') ? logs.open('s_1') : undefined), limits })
  const socket = simulatedSocket()
  const sendQueue = hub.attach(socket.sink)
  sendQueue.subscribe({ topic, since: 'start' })
  sendQueue.release()
  hub.flush()
  socket.read()
  // The deletion is committed. Topics learn of it only after the sync.
  store.sessions.delete('s_1')
  sendQueue.send('{"id":1}')
  hub.flush()
  expect(socket.read().map(({ message }) => message)).toEqual([{ id: 1 }])
  expect(hub.subscriptions()).toBe(0)
})
