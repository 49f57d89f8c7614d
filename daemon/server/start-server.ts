import { once } from 'node:events'
import type { Server } from 'node:http'
import {
  type CloseCode,
  type HelloResult,
  limits as protocolLimits,
  type Limits,
  type Subscribers,
} from '../../protocol/index.ts'
import type { OperatorPresence } from '../sessions/operator-presence.ts'
import type { Log } from '../log/log.ts'
import { createDispatch } from '../rpc/dispatch.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { createIdempotency } from '../rpc/idempotency.ts'
import type { RequestTable } from '../store/store.ts'
import type { Hub } from '../topics/delivery/hub.ts'
import { createAuthentication } from './authenticate.ts'
import { type Connection, openConnection } from './connection.ts'
import { createExchange, type PageEntry } from './exchange.ts'
import { createFailedTokens } from './failed-tokens.ts'
import { createHttpServer } from './http.ts'
import type { KnownTokens } from '../tokens/known-tokens.ts'
import { keepSocket } from '../os/keep-socket.ts'
import { listenTcp, listenUnix } from '../os/listen.ts'
import { createOriginCheck, type Transport } from './origin-check.ts'
import { createTicker } from './ticker.ts'
import type { StaticFiles } from './static-files.ts'
import { subscribersStatus } from './subscribers.ts'
import { createRoleUnread } from './role-unread.ts'
import { createUnreadBytes } from './unread-bytes.ts'
import { createUpgrades } from './websocket.ts'

export interface ServerOptions {
  host: string
  /** 0 picks a free port. */
  port: number
  /** Path of the Unix socket. The file must not exist; its directory must, with mode 0700. Absent: TCP only. */
  socketPath?: string
  /** Creates the directory of the Unix socket if it is missing. */
  openSockets?: () => void
  tokens: KnownTokens
  /** The files of the page, and the function that exchanges the code of a link for a token. Absent: no page. */
  page?: { files: StaticFiles; redeem(code: string): PageEntry | undefined }
  /** `Host` and `Origin` values accepted beside the daemon's own. */
  allowedHosts?: readonly string[]
  allowedOrigins?: readonly string[]
  handlers: Handlers
  hub: Hub
  /** Notified when clients that can answer approvals connect and disconnect. */
  operatorPresence?: OperatorPresence
  /** Stores the answers of calls with a `key`. Absent: keys have no effect. */
  requests?: RequestTable
  version: string
  instance: string
  node: string
  agents: () => HelloResult['agents']
  log: Log
  /** Limits that differ from the protocol's defaults: configured ones (`maxRuns`), or shorter ones for tests. */
  limits?: Partial<Limits>
  now?: () => number
  /** For tests: checks results against the protocol. */
  checkResults?: boolean
}

export interface RunningServer {
  /** URL of the WebSocket over TCP. */
  readonly url: string
  readonly port: number
  connections(): number
  subscriptions(): number
  subscribers(): Subscribers
  /** Stops accepting connections, sends `bye` to all clients, and resolves when the last socket is closed. */
  close(bye: { code: CloseCode; reason: string; reconnect?: boolean }): Promise<void>
}

/** Serves the protocol on a loopback TCP port and on a Unix socket. Throws `AddressInUse`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, tokens, handlers, hub, version, log, now = Date.now } = options
  const limits: Limits = { ...protocolLimits, ...options.limits }
  const connections = new Set<Connection>()
  const ticker = createTicker(tickPeriodMs(limits))
  const unreadBytes = createUnreadBytes()
  const roleUnread = createRoleUnread(connections)
  let port = options.port
  let closing = false

  const dispatch = createDispatch({
    handlers,
    about: () => ({
      daemon: { version, instance: options.instance, node: options.node },
      agents: options.agents(),
      limits: {
        maxMessageBytes: limits.maxMessageBytes,
        maxEventBytes: limits.maxEventBytes,
        maxRuns: limits.maxRuns,
        unattendedMs: limits.unattendedMs,
      },
    }),
    limits,
    log,
    now,
    checkResults: options.checkResults ?? false,
    ...(options.requests && { idempotency: createIdempotency(options.requests, now) }),
  })
  const { allowedHosts = [], allowedOrigins = [] } = options
  const checkHeaders = createOriginCheck({ port: () => port, allowedHosts, allowedOrigins })
  const failedTokens = createFailedTokens({ most: limits.authFailures, windowMs: limits.authWindowMs, now })
  const authenticate = createAuthentication({ checkHeaders, tokens, failedTokens })
  const { files, redeem } = options.page ?? noPage
  const exchange = createExchange({ checkHeaders, failedTokens, redeem, limits })
  const upgrades = createUpgrades({
    authenticate,
    limits,
    fullness: ({ role }) => {
      if (closing) return 'the daemon is stopping'
      const { maxConnections, maxObservers } = limits
      if (connections.size >= maxConnections) return `${maxConnections} connections are open, the most there may be`
      if (role === 'control' || connections.size < maxObservers) return undefined
      const observers = [...connections].filter(connection => connection.role === 'observe').length
      return observers < maxObservers ? undefined : `${maxObservers} observers are connected, the most there may be`
    },
    opened(admitted) {
      const connection = openConnection({
        ...options,
        admitted,
        dispatch,
        ticker,
        unreadBytes,
        roleUnread,
        limits,
        now,
      })
      connections.add(connection)
      void connection.gone.then(() => connections.delete(connection))
    },
  })
  // Close in the next turn, so that a client that revokes its own token gets the answer first.
  const unsubscribeTokens = tokens.onEnded((id, why) =>
    setImmediate(() => {
      for (const connection of connections) if (connection.token === id) connection.close(4501, why)
    }),
  )
  const httpServer = (transport: Transport) =>
    createHttpServer({
      transport,
      authenticate,
      checkHeaders,
      exchange,
      files,
      version,
      limits,
      upgrade: upgrades(transport),
    })

  const servers = [httpServer('tcp')]
  port = await listenTcp(servers[0]!, host, port)
  const { socketPath, openSockets } = options
  let stopKeeping = () => {}
  const openUnix = async (path: string) => {
    openSockets?.()
    const server = httpServer('unix')
    await listenUnix(server, path)
    // Existing connections continue. Forget the old server: closing it later would remove the new socket file.
    servers.splice(1, 1, server)
  }
  if (socketPath !== undefined) {
    try {
      await openUnix(socketPath)
    } catch (error) {
      await closed(servers[0]!)
      throw error
    }
    stopKeeping = keepSocket(
      socketPath,
      async () => {
        servers[1]!.close()
        await openUnix(socketPath)
        log.warn('the Unix socket had vanished and was made again', { path: socketPath })
      },
      error => log.warn('the Unix socket has vanished and cannot be made again', { path: socketPath, error }),
    )
  }

  return {
    url: `ws://${host.includes(':') ? `[${host}]` : host}:${port}/ws`,
    port,
    connections: () => connections.size,
    subscriptions: hub.subscriptions,
    subscribers: () => {
      const connected = [...connections].map(connection => connection.subscriber())
      return subscribersStatus(
        connected.filter(subscriber => subscriber !== undefined),
        limits,
      )
    },
    async close({ code, reason, reconnect }) {
      closing = true
      stopKeeping()
      unsubscribeTokens()
      for (const connection of connections) connection.close(code, reason, reconnect)
      await Promise.all([...servers.map(closed), ...[...connections].map(({ gone }) => gone)])
    },
  }
}

const noPage: NonNullable<ServerOptions['page']> = { files: { find: () => undefined }, redeem: () => undefined }

/** Stops listening and resolves when the last socket is closed. Cuts off sockets that are not upgraded. */
async function closed(server: Server): Promise<void> {
  const gone = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await gone
}

// Short enough that a check is late by at most about a tenth of its limit.
function tickPeriodMs({ heartbeatMs, pongTimeoutMs, stallTimeoutMs }: Limits): number {
  return Math.min(1_000, Math.max(5, Math.min(heartbeatMs, pongTimeoutMs, stallTimeoutMs) / 10))
}
