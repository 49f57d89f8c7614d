import type { TObject } from 'typebox'
import type { Actor, Methods, Namespace, ParamsOf, ResultOf, Role } from '../../protocol/index.ts'

import type { KeepAnswer } from './idempotency.ts'

/** The caller: the connection as a handler sees it. */
export interface Caller {
  readonly actor: Actor
  readonly role: Role
  /** Aborts when the connection is gone, so that a handler stops waiting. */
  readonly signal: AbortSignal
  /** Cursors of this connection. */
  readonly subscriptions: Subscriptions
  /** Present if the call has a `key`. Then the handler stores the answer together with the effects of the call. */
  readonly keep?: KeepAnswer
}

/** `topic.*` acts on the caller's connection. Each throws `RpcError`. */
export interface Subscriptions {
  subscribe(params: ParamsOf<Methods['topic']['subscribe']>): ResultOf<Methods['topic']['subscribe']>
  unsubscribe(topic: string): void
  ack(topic: string, seq: number): void
}

type Row = { params: TObject; result: TObject }
type Awaitable<T> = T | Promise<T>

/** The daemon's side of the method table: a forgotten handler does not compile. */
export type Handlers = {
  [N in Namespace]: {
    [M in keyof Methods[N]]: Methods[N][M] extends { params: Row['params']; result: Row['result'] }
      ? (params: ParamsOf<Methods[N][M]>, caller: Caller) => Awaitable<ResultOf<Methods[N][M]>>
      : never
  }
}
