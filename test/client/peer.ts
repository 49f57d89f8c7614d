import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ErrorKind, Request } from '../../protocol/index.ts'
import { errors } from '../../protocol/index.ts'

/** One socket of a client, as the peer sees it. */
export interface PeerSocket {
  ws: WebSocket
  /** The subprotocols that the client offered. */
  offered: string | undefined
  send(message: object): void
  notify(method: string, params: object): void
  /** Sends `events` with the given seqs, or with the given events. */
  events(topic: string, items: (number | { seq: number })[], epoch?: string): void
  answer(id: unknown, result: unknown): void
  refuse(id: unknown, kind: ErrorKind, message?: string): void
}

type Params = Record<string, unknown>
/** Returns the result of a method. After undefined, the test answers. */
type Handler = (params: Params, socket: PeerSocket, id: unknown) => unknown

/**
 * A WebSocket server that speaks the protocol as a test tells it to, faults included. By default it says hello, has one
 * log for each topic in `logs`, and sends a subscriber everything after the cursor.
 */
export interface Peer {
  url: string
  port: number
  sockets: PeerSocket[]
  /** All requests and notifications of all sockets, in order. */
  received: { method: string; params: Params }[]
  calls(method: string): Params[]
  on(method: string, handler: Handler): void
  /** The log of each topic: its epoch and its first and last `seq`. */
  logs: Map<string, { epoch: string; first: number; head: number }>
  /** Appends `count` events to a log and sends them to all sockets that subscribe the topic. */
  append(topic: string, count: number): void
  cut(): void
  close(): Promise<void>
}

export const epoch = 'e1'

export async function startPeer(port = 0): Promise<Peer> {
  const server = new WebSocketServer({ port, host: '127.0.0.1' })
  await once(server, 'listening')
  const { port: actual } = server.address() as AddressInfo
  const handlers = new Map<string, Handler>()
  const subscribed = new Map<PeerSocket, Set<string>>()
  const peer: Peer = {
    url: `ws://127.0.0.1:${actual}/ws`,
    port: actual,
    sockets: [],
    received: [],
    logs: new Map(),
    calls: method => peer.received.filter(request => request.method === method).map(({ params }) => params),
    on: (method, handler) => void handlers.set(method, handler),
    append(topic, count) {
      const log = logOf(peer, topic)
      const from = log.head + 1
      log.head += count
      for (const socket of peer.sockets) {
        if (subscribed.get(socket)?.has(topic)) socket.events(topic, range(from, log.head), log.epoch)
      }
    },
    cut() {
      for (const { ws } of peer.sockets.splice(0)) ws.terminate()
    },
    async close() {
      peer.cut()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
  handlers.set('hello', () => ({
    protocol: 2,
    clientId: 'c_1',
    role: 'control',
    daemon: { version: '0', instance: 'i', node: 'n' },
    agents: [],
    limits: { maxMessageBytes: 4_194_304, maxEventBytes: 262_144, maxRuns: 8, unattendedMs: 60_000 },
  }))
  handlers.set('topic.read', params => {
    const log = logOf(peer, params['topic'] as string)
    return { epoch: log.epoch, events: [], head: log.head }
  })
  handlers.set('topic.subscribe', (params, socket, id) => {
    const topic = params['topic'] as string
    const log = logOf(peer, topic)
    const since = params['since'] as 'start' | 'end' | { epoch: string; seq: number } | undefined
    const reason =
      typeof since !== 'object'
        ? undefined
        : since.epoch !== log.epoch
          ? 'epoch_changed'
          : since.seq < log.first - 1
            ? 'trimmed'
            : since.seq > log.head
              ? 'ahead_of_log'
              : undefined
    const after = typeof since === 'object' && !reason ? since.seq : since === 'end' ? log.head : log.first - 1
    subscribed.get(socket)!.add(topic)
    const { epoch: ofLog, first, head } = log
    socket.answer(id, { topic, epoch: ofLog, first, head, recovered: !reason, ...(reason && { reason }) })
    if (head > after) socket.events(topic, range(after + 1, head), ofLog)
    return undefined
  })
  handlers.set('topic.unsubscribe', (params, socket) => {
    subscribed.get(socket)!.delete(params['topic'] as string)
    return {}
  })

  server.on('connection', (ws, request) => {
    const send = (message: object) => ws.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
    const socket: PeerSocket = {
      ws,
      offered: request.headers['sec-websocket-protocol'],
      send,
      notify: (method, params) => send({ method, params }),
      events: (topic, items, of = epoch) =>
        socket.notify('events', {
          topic,
          epoch: of,
          events: items.map(item => (typeof item === 'number' ? event(item) : item)),
        }),
      answer: (id, result) => send({ id, result }),
      refuse: (id, kind, message = kind) =>
        send({ id, error: { code: errors[kind].code, message, data: { kind, retryable: errors[kind].retryable } } }),
    }
    peer.sockets.push(socket)
    subscribed.set(socket, new Set())
    ws.on('message', (data: Buffer) => {
      const { id, method, params = {} } = JSON.parse(data.toString()) as Request & { params?: Params }
      peer.received.push({ method, params })
      const answer = handlers.get(method)?.(params, socket, id)
      if (answer !== undefined && id !== undefined) socket.answer(id, answer)
    })
  })
  return peer
}

export const event = (seq: number, fields: object = {}) => ({
  seq,
  time: 0,
  run: 'r_1',
  type: 'assistant_text',
  delta: `${seq} `,
  ...fields,
})

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

function logOf(peer: Peer, topic: string) {
  const log = peer.logs.get(topic) ?? { epoch, first: 1, head: 0 }
  peer.logs.set(topic, log)
  return log
}
