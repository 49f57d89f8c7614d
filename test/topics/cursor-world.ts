import { Buffer } from 'node:buffer'
import { createJournal } from '../../daemon/store/journal/journal.ts'
import type { Store } from '../../daemon/store/store.ts'
import type { Since } from '../../daemon/topics/delivery/cursor.ts'
import { createHub, type Hub } from '../../daemon/topics/delivery/hub.ts'
import type { SendQueue } from '../../daemon/topics/delivery/delivery.ts'
import { createPublisher } from '../../daemon/topics/publisher.ts'
import { createRingLog } from '../../daemon/topics/logs/ring-log.ts'
import { createSessionLogs } from '../../daemon/topics/logs/session-logs.ts'
import type { TopicLog } from '../../daemon/topics/logs/topic-log.ts'
import { entry, event, session } from '../support/records.ts'
import { type SimulatedSocket, simulatedSocket } from './simulated-socket.ts'

/**
 * A hub over the log of one session in SQLite, with connections. All bounds are so small that they are often reached.
 */
export interface World {
  readonly topic: string
  append(from: number, sizes: readonly number[]): string[]
  /** Sets the `seq` of the log's first event. */
  trim(first: number): void
  flush(): void
  connect(): Connection
  /** Restarts the daemon. Another `epoch` also makes the database new. */
  restart(epoch: string): void
  close(): void
}

export interface Connection {
  readonly socket: SimulatedSocket
  /** Subscribes as `rpc/` does for a call. */
  subscribe(since: Since, window: number | undefined): void
  unsubscribe(): void
  ack(seq: number): void
  close(): void
}

/** A deliberate fault, to show that the model notices it. */
export interface Plant {
  read?(texts: string[]): string[]
  /** Replaces the `seq` of an ack. `before` is the `seq` of the subscription's previous ack, else 0. */
  ack?(seq: number, before: number): number
}

const limits = { eventsPageBytes: 300, highWaterBytes: 400, maxSubscriptions: 10 }
const memory = { sessionBytes: 1_500, totalBytes: 3_000 }

export function createWorld(store: Store, id: string, plant: Plant = {}): World {
  const topic = `session/${id}`
  let first = 1
  let daemon = startDaemon(store, id, 'e1', () => first, plant)
  const open = new Set<SendQueue>()
  store.sessions.add(session(id))

  const closeAll = () => {
    for (const sendQueue of open) sendQueue.close()
    open.clear()
  }

  return {
    topic,
    append(from, sizes) {
      const rows = sizes.map((size, index) => event(from + index, { delta: 'ü'.repeat(size) }))
      daemon.journal.append(entry(id, rows))
      daemon.journal.flush()
      return rows.map(({ text }) => text)
    },
    trim(value) {
      first = value
    },
    flush: () => daemon.hub.flush(),
    connect() {
      const socket = simulatedSocket()
      const sendQueue = daemon.hub.attach(socket.sink)
      open.add(sendQueue)
      let acked = 0
      return {
        socket,
        subscribe(since, window) {
          const result = sendQueue.subscribe({ topic, since, ...(window !== undefined && { window }) })
          sendQueue.send(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
          sendQueue.release()
          acked = 0
        },
        unsubscribe: () => sendQueue.unsubscribe(topic),
        ack(seq) {
          acked = plant.ack?.(seq, acked) ?? seq
          sendQueue.ack(topic, acked)
        },
        close() {
          open.delete(sendQueue)
          sendQueue.close()
        },
      }
    },
    restart(epoch) {
      closeAll()
      if (epoch !== daemon.epoch) {
        store.sessions.delete(id)
        store.sessions.add(session(id))
        first = 1
      }
      daemon = startDaemon(store, id, epoch, () => first, plant)
    },
    close: closeAll,
  }
}

function startDaemon(store: Store, id: string, epoch: string, first: () => number, plant: Plant) {
  const logs = createSessionLogs({ events: store.events, epoch, maxEventBytes: 100_000, bounds: memory })
  const hub: Hub = createHub({ lookup: () => trimmed(logs.open(id), first, plant), limits })
  const sessions = createRingLog({ epoch, maxRecords: 1, maxBytes: Infinity, maxEventBytes: 100_000 })
  const journal = createJournal(store, createPublisher({ logs, sessions, hub, now: () => 1 }))
  return { epoch, hub, journal }
}

const trimmed = (log: TopicLog, first: () => number, { read = texts => texts }: Plant): TopicLog => ({
  ...log,
  first: () => Math.max(first(), log.first()),
  read(after, limit, maxBytes) {
    if (after < first() - 1) throw new Error(`event ${after + 1} is to be read, which was trimmed`)
    return read(log.read(after, limit, maxBytes))
  },
})

export const bytesOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
