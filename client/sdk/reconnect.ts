import type { HelloResult, Notification } from '../../protocol/index.ts'
import { abortable, onAbort } from './abort.ts'
import { type Connection, deferred, openConnection } from './connection.ts'
import { RpcError, Unavailable } from './errors.ts'
import { type ConnectOptions, type Endpoint, type Platform, timing as defaultTiming } from './platform.ts'
import { sdkVersion } from './version.ts'

/**
 * The state of a link.
 *
 * - `connecting`: no connection has been open yet; attempts are being made.
 * - `open`: connected.
 * - `recovering`: the connection was lost; attempts continue until one succeeds.
 * - `closed`: closed for good, by its owner or because another attempt cannot help.
 */
export type ConnectionState = 'connecting' | 'open' | 'recovering' | 'closed'

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface LinkCallOptions extends CallOptions {
  repeatable?: boolean
  /** As in `Connection.call`. */
  onResult?: (result: unknown) => void
}

/** A connection that reconnects when it breaks, with the interface of a connection. */
export interface Link {
  readonly state: ConnectionState
  /** The answer to `hello` of the present or last connection. */
  readonly hello: HelloResult | undefined
  /** Resolves at the first connection. Rejects with the error that rules a connection out. */
  readonly opened: Promise<void>
  /** Aborts when the link is closed; its reason is the cause. */
  readonly signal: AbortSignal
  /**
   * Waits for a connection, then calls the method. If the connection breaks before the answer, a call with a `key` in
   * its params, or with `repeatable`, is repeated on the next one. Any other call rejects with `Unavailable`.
   */
  call(method: string, params: object, options?: LinkCallOptions): Promise<unknown>
  /** Sends a notification. Drops it if there is no connection. */
  notify(method: string, params: object): void
  /** Replaces the present connection, which cannot be trusted any more. */
  renew(why: string): void
  close(reason?: unknown): void
  onState(handler: (state: ConnectionState, why?: Error) => void): () => void
  /** Sets the only handler of notifications. */
  onNotification(handler: (notification: Notification, size: number) => void): void
}

/**
 * Creates a link and starts to connect. The number of attempts is unlimited. The link closes if the daemon said that
 * another attempt cannot help (a `bye` or close code without `reconnect`, a `hello` refused for good), if a token was
 * refused and there is no other, or, unless the caller is `patient`, if the first attempt fails.
 */
export function createLink(platform: Platform, options: ConnectOptions): Link {
  const timing = { ...defaultTiming, ...options.timing }
  const client = options.client ?? { name: 'muxd-sdk', version: sdkVersion }
  const controller = new AbortController()
  const { signal } = controller
  const states = new Set<(state: ConnectionState, why?: Error) => void>()
  let onNotification = (_notification: Notification, _size: number) => {}
  const opened = deferred<void>()
  let ready = deferred<Connection>()
  let current: Connection | undefined
  let hello: HelloResult | undefined
  let state: ConnectionState = 'connecting'
  let wake = () => {}

  const enter = (next: ConnectionState, why?: Error) => {
    if (state === next) return
    state = next
    // Handlers run in their own microtasks, so that an exception in one does not count as a failure of the connection.
    for (const handler of states) queueMicrotask(() => handler(next, why))
  }

  const close = (reason: unknown = new Unavailable('the connection was closed')) => {
    if (signal.aborted) return
    detach()
    controller.abort(reason)
    ready.reject(reason)
    opened.reject(reason)
    wake()
    enter('closed', reason as Error)
  }

  async function live(): Promise<void> {
    let failures = 0
    let refused: { token: string | undefined; why: Error } | undefined
    while (!signal.aborted) {
      let why: Error
      let endpoint: Endpoint | undefined
      try {
        endpoint = await platform.locate()
        const { token } = endpoint
        // Trying the same token again could only lock this address out.
        if (refused && refused.token === token) return close(refused.why)
        const { clientId } = hello ?? {}
        current = await openConnection({
          platform,
          endpoint,
          timing,
          client,
          clientId,
          answers: options.answers,
          signal,
          onNotification(notification, size) {
            const { method, params } = notification
            if (method !== 'bye') onNotification(notification, size)
            else if (!params.reconnect) close(new Unavailable(params.reason, params))
          },
        })
        const openedAt = Date.now()
        hello = current.hello
        ready.resolve(current)
        opened.resolve()
        enter('open')
        why = await current.lost
        current = undefined
        ready = deferred()
        // A short connection does not count as a success: the waits between attempts keep growing.
        if (Date.now() - openedAt > timing.retryMaxMs) failures = 0
      } catch (error) {
        why = error as Error
        if (why instanceof Unavailable && endpoint && (await platform.refuses?.(endpoint))) {
          why = new Unavailable('the token is refused', { code: 4501, cause: error })
        }
        if (!hello && !options.patient) return close(why)
      }
      // A restarted daemon may have another token, so the endpoint is looked up once more.
      if (why instanceof Unavailable && why.code === 4501) refused = { token: endpoint?.token, why }
      else if (isFinal(why)) return close(why)
      if (signal.aborted) return
      enter(hello ? 'recovering' : 'connecting', why)
      const ceiling = Math.min(timing.retryMaxMs, timing.retryMinMs * 2 ** failures++)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.random() * ceiling)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  const detach = onAbort(options.signal, reason => queueMicrotask(() => close(reason)))
  platform.onWake?.(() => wake(), signal)
  void live()

  return {
    get state() {
      return state
    },
    get hello() {
      return hello
    },
    opened: opened.promise,
    signal,
    call(method, params, { signal: caller, repeatable = hasKey(params), onResult } = {}) {
      const answered = async () => {
        for (;;) {
          signal.throwIfAborted()
          const connection = await ready.promise
          caller?.throwIfAborted()
          try {
            return await connection.call(method, params, onResult)
          } catch (error) {
            if (!repeatable || !(error instanceof Unavailable) || signal.aborted) throw signal.reason ?? error
          }
        }
      }
      return abortable(answered(), caller)
    },
    notify: (method, params) => current?.notify(method, params),
    renew: why => current?.end(new Unavailable(why)),
    close,
    onState(handler) {
      states.add(handler)
      return () => states.delete(handler)
    },
    onNotification(handler) {
      onNotification = handler
    },
  }
}

/** Whether another attempt cannot help. The range of a close code tells (`closeCodes` of the protocol). */
function isFinal(why: Error): boolean {
  if (why instanceof RpcError) return !why.retryable
  return why instanceof Unavailable && (why.code! >= 4500 || why.code === 1009)
}

const hasKey = (params: { key?: unknown }) => params.key !== undefined
