import type { HelloResult, Notification, Response } from '../../protocol/index.ts'
import { authSubprotocolPrefix, protocolVersion, subprotocol } from '../../protocol/wire.ts'
import { RpcError, Unavailable } from './errors.ts'
import type { Endpoint, Platform, Timing } from './platform.ts'

/**
 * One socket after a successful `hello`. It ends once and cannot be used again; the link that wraps it opens another.
 */
export interface Connection {
  readonly hello: HelloResult
  /** Resolves with the cause when the connection ends, before pending calls reject with the same. Never rejects. */
  readonly lost: Promise<Unavailable>
  /**
   * Calls a method. Rejects with `RpcError` if the daemon refuses the call, and with `Unavailable` if the connection
   * ends before the answer. `onResult` runs before the next message is processed. The promise settles too late for
   * that, because `ws` delivers several messages in one turn.
   */
  call(method: string, params: object, onResult?: (result: unknown) => void): Promise<unknown>
  notify(method: string, params: object): void
  end(why: Unavailable): void
}

export interface Opening {
  platform: Platform
  endpoint: Endpoint
  timing: Timing
  client: { name: string; version: string }
  answers: boolean | undefined
  /** The id from an earlier `hello`, to remain the same client after a reconnect. */
  clientId: string | undefined
  /** Ends the connection or the attempt. Pending calls reject with its reason as the `cause`. */
  signal: AbortSignal
  /** `size` is the length of the notification's text in characters. */
  onNotification(notification: Notification, size: number): void
}

/**
 * Opens a socket and sends `hello`. Rejects with `Unavailable`, or with the `RpcError` with which the daemon refused
 * `hello`.
 */
export async function openConnection(opening: Opening): Promise<Connection> {
  const { platform, endpoint, timing, client, clientId, answers, signal } = opening
  const pending = new Map<number, Pick<Deferred<unknown>, 'resolve' | 'reject'>>()
  const lost = deferred<Unavailable>()
  let lastId = 0
  let heardAt = Date.now()
  let asked = 0
  let ended: Unavailable | undefined
  let failure: unknown
  let maxMessageBytes = Infinity

  const socket = platform.open(endpoint.url, [subprotocol, ...authSubprotocol(endpoint.token)])
  const onAbort = () => end(new Unavailable('the connection was closed', { cause: signal.reason }), true)
  const attempt = setTimeout(() => end(new Unavailable(`no answer from ${endpoint.url}`)), timing.attemptMs)
  // This timer may fire before messages that arrived in the meantime are processed: after the machine slept, in a
  // frozen page, or in a blocked program. So silence counts only after a ping without an answer.
  const watch = setInterval(() => {
    if (Date.now() - heardAt < timing.silenceMs) return
    if (asked === heardAt) end(new Unavailable(`${endpoint.url} has gone silent`))
    asked = heardAt
    call('ping', {}).catch(() => {})
  }, timing.silenceMs / 3)
  signal.addEventListener('abort', onAbort)

  function end(why: Unavailable, politely = false): void {
    if (ended) return
    ended = why
    clearTimeout(attempt)
    clearInterval(watch)
    signal.removeEventListener('abort', onAbort)
    if (politely || !socket.terminate) socket.close()
    else socket.terminate()
    lost.resolve(why)
    for (const waiter of pending.values()) waiter.reject(why)
    pending.clear()
  }

  /** A closing socket would drop the text, and a browser would log an error. The close event rejects the call. */
  function send(text: string): void {
    if (socket.readyState === 1) socket.send(text)
  }

  async function call(method: string, params: object, onResult?: (result: unknown) => void): Promise<unknown> {
    const id = ++lastId
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    // A larger message would close the connection and end everything else on it.
    if (new TextEncoder().encode(text).length > maxMessageBytes) {
      const data = { kind: 'limit', retryable: false, limit: 'maxMessageBytes', value: maxMessageBytes } as const
      throw new RpcError({ code: -32009, message: `${method}: larger than ${maxMessageBytes} bytes`, data })
    }
    if (ended) throw ended
    return new Promise((resolve, reject) => {
      pending.set(id, {
        resolve(result) {
          onResult?.(result)
          resolve(result)
        },
        reject,
      })
      send(text)
    })
  }

  // Without a listener `ws` would throw. The close that follows ends the connection, with this error as its cause.
  socket.addEventListener('error', event => (failure = event.error))
  socket.addEventListener('close', ({ code, reason }) =>
    end(new Unavailable(`${endpoint.url}: ${reason || `connection lost (${code})`}`, { code, cause: failure })),
  )
  socket.addEventListener('message', ({ data }) => {
    heardAt = Date.now()
    if (ended || typeof data !== 'string') return
    let message: Response | Notification
    try {
      message = JSON.parse(data) as typeof message
    } catch (cause) {
      end(new Unavailable(`${endpoint.url} sent what is no JSON`, { cause }))
      return
    }
    if ('method' in message) {
      opening.onNotification(message, data.length)
      return
    }
    const waiter = pending.get(message.id as number)
    pending.delete(message.id as number)
    if ('error' in message) waiter?.reject(new RpcError(message.error))
    else waiter?.resolve(message.result)
  })

  try {
    if (signal.aborted) onAbort()
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      void lost.promise.then(reject)
    })
    const { withProtocol1 } = platform
    const protocol = withProtocol1 ? [protocolVersion, 1] : [protocolVersion]
    const hello = (await call('hello', { protocol, client, clientId, answers })) as HelloResult
    clearTimeout(attempt)
    maxMessageBytes = hello.limits.maxMessageBytes
    return {
      hello,
      lost: lost.promise,
      call,
      notify: (method, params) => {
        send(JSON.stringify({ jsonrpc: '2.0', method, params }))
      },
      end,
      ...(hello.protocol < protocolVersion && withProtocol1?.({ hello, call })),
    }
  } catch (error) {
    end(new Unavailable('hello was refused', { cause: error }))
    throw error
  }
}

export interface Deferred<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

/** Creates a promise with its resolve functions. A rejection without a listener is not an error. */
export function deferred<T>(): Deferred<T> {
  const result = {} as Deferred<T>
  result.promise = new Promise<T>((resolve, reject) => Object.assign(result, { resolve, reject }))
  result.promise.catch(() => {})
  return result
}

const authSubprotocol = (token: string | undefined): string[] =>
  token === undefined
    ? []
    : [authSubprotocolPrefix + btoa(token).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')]
