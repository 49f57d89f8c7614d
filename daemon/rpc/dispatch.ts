import { nanoid } from 'nanoid'
import { Compile } from 'typebox/compile'
import {
  type CloseCode,
  type HelloParams,
  type HelloResult,
  type Limits,
  masked,
  type Role,
  TopicAck,
} from '../../protocol/index.ts'
import type { Log } from '../log/log.ts'
import { errorText, resultText } from './answer.ts'
import { type CallId, readEnvelope } from './envelope.ts'
import type { Caller, Handlers } from './handlers.ts'
import { type About, answerHello } from './hello.ts'
import type { Idempotency } from './idempotency.ts'
import { invalidParams, invalidParamsBriefly } from './invalid-params.ts'
import { createMethodTable, type Method } from './method-table.ts'
import { createErrorRateLimit } from './error-rate-limit.ts'
import { refuseRenamed } from './renamed-params.ts'
import { RpcError } from './rpc-error.ts'

/** A connection, as dispatch needs it. */
export interface Peer {
  readonly role: Role
  readonly signal: AbortSignal
  readonly subscriptions: Caller['subscriptions']
  /** Queues an answer. */
  send(text: string): void
  /** Returns the bytes of answers and events that are queued for the connection and not sent yet. */
  unreadBytes(): number
  /** Returns the bytes of unread answers of all connections of its role. */
  roleUnreadBytes(): number
  /** Starts delivery to the cursors placed by calls that are answered now. */
  releaseCursors(): void
  /** The connection has said `hello`. */
  greeted(hello: HelloParams, result: HelloResult): void
  close(code: CloseCode, reason: string): void
}

/** Returns, for each connection, the function that takes its text messages. That function never throws. */
export type Dispatch = (peer: Peer) => (text: string) => void

const topicAck = Compile(TopicAck)

export function createDispatch(options: {
  handlers: Handlers
  about: () => About
  limits: Pick<Limits, 'maxCallsInFlight' | 'maxUnreadBytes' | 'maxRoleUnreadBytes'>
  log: Pick<Log, 'error'>
  now: () => number
  /** Without it, a `key` has no effect. */
  idempotency?: Idempotency
  /** For tests: a result that does not match the protocol is answered with `internal`. */
  checkResults?: boolean
}): Dispatch {
  const { handlers, about, limits, log, now, idempotency, checkResults = false } = options
  // `hello` is answered by the connection's own dispatch, where its role is known.
  const table = createMethodTable(handlers, { hello: () => undefined, ping: () => ({ time: now() }) })

  return peer => {
    const errorRateLimit = createErrorRateLimit(now)
    let caller: Caller | undefined
    let callsInFlight = 0
    let subscribesInFlight = 0

    const receive = (text: string) => {
      const message = readEnvelope(text)
      if (message.kind === 'refused') return refuse(message.id, message.error)
      if (message.kind === 'notification') return notified(message.method, message.params)
      const { id, params } = message
      const method = table.get(message.method)
      const error = refusalOf(method, message.method, params)
      if (error !== undefined) refuse(id, error)
      else if (method!.name === 'hello') hello(id, params as HelloParams)
      else call(id, method!, params)
    }

    const notified = (method: string, params: unknown) => {
      if (method !== 'topic.ack' || caller === undefined) return
      if (topicAck.Check(params)) caller.subscriptions.ack(params.topic, params.seq)
    }

    const refusalOf = (
      method: Method | undefined,
      name: string,
      params: unknown,
    ): RpcError | (() => RpcError) | undefined => {
      const isOpening = name === 'hello' || name === 'ping'
      if (caller === undefined && !isOpening) return new RpcError('not_ready', `${short(name)} came before hello`)
      if (caller !== undefined && name === 'hello') return new RpcError('invalid_request', 'hello was said already')
      if (method === undefined) {
        return new RpcError('unknown_method', `there is no method ${short(name)}`, { method: short(name) })
      }
      if (method.needsControl && peer.role !== 'control') {
        const why = method.mutates ? 'changes something: an observe token may only read' : 'is not for an observe token'
        return new RpcError('forbidden', `${name} ${why}`)
      }
      if (!method.fits(params)) return () => invalidParams(method, params)
      const path = method.maskIn(params)
      return path === undefined ? refuseRenamed(name, params) : maskAsValue(path)
    }

    // Finds the details of an error only while this peer has sent few bad messages.
    const refuse = (id: CallId | null, error: RpcError | (() => RpcError)) => {
      const detail = errorRateLimit()
      if (detail === 'exhausted') return peer.close(4500, 'too many bad messages')
      const lazy = typeof error === 'function'
      if (!lazy) peer.send(errorText(id, error))
      else if (detail === 'detailed') peer.send(errorText(id, error()))
      else peer.send(errorText(id, invalidParamsBriefly()))
    }

    const hello = (id: CallId, params: HelloParams) => {
      try {
        const result = answerHello(params, peer.role, about())
        const { role, signal, subscriptions } = peer
        caller = { actor: { client: result.clientId, name: params.client.name }, role, signal, subscriptions }
        peer.greeted(params, result)
        peer.send(resultText(id, result))
      } catch (error) {
        peer.send(errorText(id, asRpcError(error, 'hello')))
        if (error instanceof RpcError) peer.close(4503, error.message)
      }
    }

    const call = (id: CallId, method: Method, params: unknown) => {
      const busy = overload()
      if (busy !== undefined) return peer.send(errorText(id, busy))
      const subscribes = method.name === 'topic.subscribe'
      callsInFlight++
      if (subscribes) subscribesInFlight++
      const answered = (text: string) => {
        callsInFlight--
        if (subscribes) subscribesInFlight--
        // The connection is gone.
        if (peer.signal.aborted) return
        peer.send(text)
        // While another subscribe call is unanswered, no cursor moves: it may be the cursor of that call.
        if (subscribes && subscribesInFlight === 0) peer.releaseCursors()
      }
      const succeeded = (result: unknown) => answered(checkedText(id, method, result, peer.role))
      const failed = (error: unknown) => {
        const isAbort = peer.signal.aborted && !(error instanceof RpcError)
        answered(isAbort ? '' : errorText(id, asRpcError(error, method.name)))
      }
      try {
        const result = run(method, params)
        if (result instanceof Promise) result.then(succeeded).catch(failed)
        else succeeded(result)
      } catch (error) {
        failed(error)
      }
    }

    const overload = (): RpcError | undefined => {
      if (callsInFlight >= limits.maxCallsInFlight) {
        return overloaded('calls of this connection await their answers', 'maxCallsInFlight', limits.maxCallsInFlight)
      }
      if (peer.unreadBytes() > limits.maxUnreadBytes)
        return overloaded('bytes of answers wait to be read', 'maxUnreadBytes', limits.maxUnreadBytes)
      if (peer.roleUnreadBytes() <= limits.maxRoleUnreadBytes) return undefined
      const what = `bytes of answers wait to be read by all connections of the ${peer.role} role`
      return overloaded(what, 'maxRoleUnreadBytes', limits.maxRoleUnreadBytes)
    }

    const run = (method: Method, params: unknown): unknown => {
      const { key } = params as { key?: string }
      if (!method.keyed || key === undefined || idempotency === undefined) return method.call(params, caller!)
      const named = { method: method.name, key, params: params as object }
      return idempotency.run(named, keep => method.call(params, { ...caller!, keep }))
    }

    return receive
  }

  function checkedText(id: CallId, method: Method, result: unknown, role: Role): string {
    if (checkResults && !method.resultFits(result)) {
      throw new Error(
        `${method.name}: the result is not as the protocol says: ${JSON.stringify(method.shown(result, 'observe'))}`,
      )
    }
    return resultText(id, method.shown(result, role))
  }

  // The caller gets an id. The details are in the log under this id, and nowhere else.
  function asRpcError(error: unknown, method: string): RpcError {
    if (error instanceof RpcError) return error
    const id = nanoid()
    log.error('a call failed', { id, method, error })
    return new RpcError('internal', `internal error ${id}: the daemon's log has the details`, { id }, { cause: error })
  }
}

const overloaded = (what: string, limit: string, value: number) =>
  new RpcError('overloaded', `${value} ${what}, the most there may be`, { limit, value })

const maskAsValue = (path: string) =>
  new RpcError('invalid_params', `${path}: ${masked} is what is shown in the place of a secret, and no value`, {
    path,
    expected: 'the value itself: session.get tells it to the control role',
  })

const short = (name: string) => (name.length > 80 ? `${name.slice(0, 80)}…` : name)
