import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { RpcErrorObject } from '../../protocol/index.ts'

/** A peer of the daemon that speaks the wire protocol itself, so that tests see the messages without an SDK between. */
export interface RpcPeer {
  /** Resolves with the result, rejects with `RpcFailure`. */
  call<Result = Record<string, unknown>>(method: string, params?: object): Promise<Result>
  /** Sends the text unchanged. */
  send(text: string): void
  /** Returns every event received on a topic, in the order of arrival. */
  events(topic: string): WireEvent[]
  /** Notifications other than `events`. */
  notifications: { method: string; params: Record<string, unknown> }[]
  /** Resolves with the close code when the connection has closed. */
  closed: Promise<number>
  close(): Promise<void>
  /** Drops the connection without a close frame. */
  terminate(): void
}

export interface WireEvent {
  seq: number
  time: number
  type: string
  run: string | null
  [field: string]: unknown
}

export class RpcFailure extends Error {
  readonly error: RpcErrorObject
  constructor(error: RpcErrorObject) {
    super(error.message)
    this.error = error
  }
}

/** Opens a peer. `onText` gets every received text. */
export async function openPeer(
  url: string,
  token: string,
  name = 'peer',
  onText?: (text: string) => void,
): Promise<RpcPeer> {
  const socket = new WebSocket(url, ['muxd.v1'], { headers: { authorization: `Bearer ${token}` } })
  await once(socket, 'open')
  const closed = once(socket, 'close').then(([code]) => code as number)

  const calls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  const topics = new Map<string, WireEvent[]>()
  const notifications: RpcPeer['notifications'] = []
  let lastId = 0

  socket.on('message', (data: Buffer) => {
    onText?.(data.toString())
    const message = JSON.parse(data.toString()) as {
      id?: number
      result?: unknown
      error?: RpcErrorObject
      method?: string
      params?: Record<string, unknown>
    }
    if (message.id !== undefined) {
      const call = calls.get(message.id)
      calls.delete(message.id)
      if (message.error) call?.reject(new RpcFailure(message.error))
      else call?.resolve(message.result)
    } else if (message.method === 'events') {
      const { topic, events } = message.params as { topic: string; events: WireEvent[] }
      topics.set(topic, [...(topics.get(topic) ?? []), ...events])
    } else notifications.push({ method: message.method ?? '', params: message.params ?? {} })
  })
  void closed.then(() => {
    for (const { reject } of calls.values()) reject(new Error('the connection was closed'))
  })

  const peer: RpcPeer = {
    call: (method, params = {}) =>
      new Promise((resolve, reject) => {
        lastId += 1
        calls.set(lastId, { resolve: resolve, reject })
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }))
      }),
    send: text => socket.send(text),
    events: topic => topics.get(topic) ?? [],
    notifications,
    closed,
    async close() {
      socket.close()
      await closed
    },
    terminate: () => socket.terminate(),
  }
  await peer.call('hello', { protocol: [2], client: { name, version: '1' } })
  return peer
}
