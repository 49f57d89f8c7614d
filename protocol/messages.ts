import { Type, type Static } from 'typebox'
import type { CloseCode, ErrorData } from './errors.ts'
import { Topic } from './topics.ts'

export { authSubprotocolPrefix, protocolVersion, subprotocol } from './wire.ts'

/** A JSON-RPC request. Without `id` it is a notification, which gets no answer. */
export const Request = Type.Object({
  jsonrpc: Type.Literal('2.0'),
  id: Type.Optional(Type.Union([Type.String({ maxLength: 200 }), Type.Integer()])),
  method: Type.String({ maxLength: 200 }),
  params: Type.Optional(Type.Unknown()),
})
export type Request = Static<typeof Request>

/** Client -> daemon notification `topic.ack`: the client has consumed everything up to `seq`. Cumulative. */
export const TopicAck = Type.Object({ topic: Topic, seq: Type.Integer({ minimum: 0 }) })
export type TopicAck = Static<typeof TopicAck>

export interface RpcErrorObject {
  code: number
  message: string
  data: ErrorData
}
export type Response =
  | { jsonrpc: '2.0'; id: string | number | null; result: unknown }
  | { jsonrpc: '2.0'; id: string | number | null; error: RpcErrorObject }

/** Daemon -> client notifications. */
export interface Notifications {
  /** A batch of one topic's events, in order and contiguous. */
  events: { topic: string; epoch: string; events: { seq: number }[] }
  /** Sent on an idle connection: the head of each subscribed topic. `time` is ms since epoch. */
  heartbeat: { time: number; heads: Record<string, number> }
  /** The daemon is about to close the connection with `code`. */
  bye: { code: CloseCode; reason: string; reconnect: boolean }
}
export type Notification = {
  [N in keyof Notifications]: { jsonrpc: '2.0'; method: N; params: Notifications[N] }
}[keyof Notifications]
