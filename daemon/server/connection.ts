import { setMaxListeners } from 'node:events'
import { type CloseCode, closeCodes, type Limits, type Role, type Subscriber } from '../../protocol/index.ts'
import type { OperatorPresence } from '../sessions/operator-presence.ts'
import type { Log } from '../log/log.ts'
import type { Dispatch } from '../rpc/dispatch.ts'
import type { Hub } from '../topics/delivery/hub.ts'
import type { Ticker } from './ticker.ts'
import type { RoleUnread } from './role-unread.ts'
import { socketSink } from './socket-sink.ts'
import type { UnreadBytes } from './unread-bytes.ts'
import { watchLiveness } from './liveness.ts'
import type { Admitted } from './websocket.ts'

/** A client's socket, from the upgrade to its end. */
export interface Connection {
  /**
   * Sends `bye` and closes the socket; cuts it off if the peer does not close in time. `reconnect` defaults to the
   * value in `closeCodes`.
   */
  close(code: CloseCode, reason: string, reconnect?: boolean): void
  /** Returns the client and the state of its subscriptions; undefined before `hello`. */
  subscriber(): Omit<Subscriber, 'more'> | undefined
  /** Returns the bytes of answers, queued or written, that the operating system has not taken. */
  unreadAnswerBytes(): number
  readonly role: Role
  /** Id of the client's token; absent over the Unix socket. */
  readonly token: string | undefined
  /** Resolves when the socket is closed. */
  readonly gone: Promise<void>
}

/** Connects the parts of a connection: socket → dispatch → handlers, and handlers and topics → send queue → socket. */
export function openConnection(options: {
  admitted: Admitted
  dispatch: Dispatch
  hub: Hub
  operatorPresence?: OperatorPresence
  ticker: Ticker
  unreadBytes: UnreadBytes
  roleUnread: RoleUnread
  limits: Limits
  log: Log
  now: () => number
}): Connection {
  const { admitted, dispatch, hub, operatorPresence, ticker, unreadBytes, roleUnread, limits, log, now } = options
  const { ws, socket, entry } = admitted
  const { role, token } = entry
  const ending = new AbortController()
  const { signal } = ending
  // Each pending call adds a listener, and their number has no limit here.
  setMaxListeners(0, signal)

  const sink = socketSink({
    ws,
    socket,
    onFault(error) {
      log.error('a topic could not be read', { error })
      ws.terminate()
    },
  })
  let greeted: { client: string; name: string } | undefined
  const sendQueue = hub.attach(sink, () => greeted && { ...greeted, role })
  signal.addEventListener('abort', () => sendQueue.close())

  const close: Connection['close'] = (code, reason, reconnect = closeCodes[code].reconnect) => {
    if (signal.aborted) return
    log.debug('closing a connection', { code, reason })
    sendQueue.send(notification('bye', { code, reason, reconnect }))
    hub.flush()
    ending.abort()
    ws.close(code, closeReason(reason))
    // A paused socket would not read the peer's close frame.
    ws.resume()
  }

  const connectedAt = now()
  const helloTimer = setTimeout(() => close(4506, `no hello within ${limits.helloTimeoutMs} ms`), limits.helloTimeoutMs)
  const stopWatching = ticker.onTick(
    watchLiveness({
      ws,
      sink,
      limits,
      tickMs: ticker.periodMs,
      unreadBytes: () => unreadBytes(socket),
      close,
      heartbeat() {
        if (greeted !== undefined) sendQueue.send(notification('heartbeat', { time: now(), heads: sendQueue.heads() }))
      },
    }),
  )
  signal.addEventListener('abort', () => {
    clearTimeout(helloTimer)
    stopWatching()
  })

  const receive = dispatch({
    role,
    signal,
    subscriptions: sendQueue,
    send(text) {
      sendQueue.send(text)
      roleUnread.queued(role, text.length)
    },
    releaseCursors: sendQueue.release,
    unreadBytes: sendQueue.unsentBytes,
    roleUnreadBytes: () => roleUnread.bytes(role),
    greeted(hello, { clientId }) {
      greeted = { client: clientId, name: hello.client.name }
      clearTimeout(helloTimer)
      const leave = role === 'control' && hello.answers !== false ? operatorPresence?.enter() : undefined
      if (leave) signal.addEventListener('abort', leave)
      log.debug('hello', { client: clientId, ...hello.client, role })
    },
    close,
  })
  ws.on('message', (data, isBinary) => {
    if (signal.aborted) return
    if (isBinary) return close(4500, 'binary messages are reserved')
    // By default, ws passes each message as one Buffer.
    receive((data as Buffer).toString())
    // The client sends calls but does not read the answers: stop reading from it until it does.
    const isFull = roleUnread.bytes(role) > limits.maxRoleUnreadBytes
    if (sendQueue.unsentBytes() > (isFull ? limits.eventsPageBytes : limits.maxUnreadBytes)) ws.pause()
  })
  socket.on('drain', () => {
    if (ws.isPaused) ws.resume()
  })
  ws.on('error', error => log.debug('a connection failed', { error }))
  const gone = new Promise<void>(resolve => {
    ws.on('close', () => {
      ending.abort()
      resolve()
    })
  })
  const subscriber = () =>
    greeted && {
      ...greeted,
      role,
      connectedAt,
      unsentBytes: sendQueue.unsentBytes(),
      subscriptions: sendQueue.cursors(),
    }
  return { close, subscriber, unreadAnswerBytes: sendQueue.unsentAnswerBytes, role, token, gone }
}

const notification = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', method, params })

// The reason in a close frame has at most 123 bytes.
const closeReason = (reason: string) => Buffer.from(reason).subarray(0, 123).toString().replaceAll('\uFFFD', '')
