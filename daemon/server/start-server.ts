import { once } from 'node:events'
import type { Server } from 'node:http'
import {
  type CloseCode,
  type HelloResult,
  limits as protocolLimits,
  type Limits,
  type Subscribers,
} from '../../protocol/index.ts'
import type { Attendance } from '../sessions/operator-presence.ts'
import type { Log } from '../log/log.ts'
import { createDispatch } from '../rpc/dispatch.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { createIdempotency } from '../rpc/idempotency.ts'
import type { RequestTable } from '../store/store.ts'
import type { Hub } from '../topics/hub.ts'
import { createAuthentication } from './authenticate.ts'
import { type Connection, openConnection } from './connection.ts'
import { createExchange, type PageEntry } from './exchange.ts'
import { createFailedTokens } from './failed-tokens.ts'
import { createHttpServer } from './http.ts'
import type { KnownTokens } from '../tokens/known-tokens.ts'
import { keepSocket } from '../os/keep-socket.ts'
import { listenTcp, listenUnix } from '../os/listen.ts'
import { createOriginCheck, type Transport } from './origin-check.ts'
import { createPulse } from './pulse.ts'
import type { StaticFiles } from './static-files.ts'
import { subscribersStatus } from './subscribers.ts'
import { createRoleUnread } from './role-unread.ts'
import { createUnreadBytes } from './unread-bytes.ts'
import { createUpgrades } from './websocket.ts'

export interface ServerOptions {
  host: string
  /** 0 picks a free one. */
  port: number
  /** The Unix socket; it must not exist, its directory must, with mode 0700. Absent: TCP only. */
  socketPath?: string
  /** Makes the directory of the Unix socket where it has vanished. */
  openSockets?: () => void
  tokens: KnownTokens
  /** The page, and what its links are good for. Absent: there is none. */
  page?: { files: StaticFiles; redeem(code: string): PageEntry | undefined }
  /** `Host` and `Origin` values accepted beside the daemon's own. */
  allowedHosts?: readonly string[]
  allowedOrigins?: readonly string[]
  handlers: Handlers
  hub: Hub
  /** Told of who can answer. */
  attendance?: Attendance
  /** Where answers of calls with a `key` are kept. Absent: keys have no meaning. */
  requests?: RequestTable
  version: string
  instance: string
  node: string
  claude: () => HelloResult['claude']
  log: Log
  /** Those that are not the protocol's own: what is configured (`maxRuns`), or shortened for a test. */
  limits?: Partial<Limits>
  now?: () => number
  /** For tests: results are checked against the protocol. */
  checkResults?: boolean
}

export interface RunningServer {
  /** Of the WebSocket over TCP. */
  readonly url: string
  readonly port: number
  connections(): number
  subscriptions(): number
  subscribers(): Subscribers
  /** Stops accepting, says `bye` to everyone, and resolves when the last socket is gone. */
  close(bye: { code: CloseCode; reason: string; reconnect?: boolean }): Promise<void>
}

/** Serves the protocol on a loopback TCP port and on a Unix socket. Throws `AddressInUse`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, tokens, handlers, hub, version, log, now = Date.now } = options
  const limits: Limits = { ...protocolLimits, ...options.limits }
  const connections = new Set<Connection>()
  const pulse = createPulse(pulsePeriodMs(limits))
  const unreadBytes = createUnreadBytes()
  const roleUnread = createRoleUnread(connections)
  let port = options.port
  let closing = false

  const dispatch = createDispatch({
    handlers,
    about: () => ({
      daemon: { version, instance: options.instance, node: options.node },
      claude: options.claude(),
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
      const connection = openConnection({ ...options, admitted, dispatch, pulse, unreadBytes, roleUnread, limits, now })
      connections.add(connection)
      void connection.gone.then(() => connections.delete(connection))
    },
  })
  // In the next turn: whoever asked for the end of its own token gets the answer first.
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
    // Whoever is connected stays so. The old server would remove the file of the new one if it were closed later.
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

/** Stops listening and resolves when the last socket is gone; those that were no WebSocket yet are cut off. */
async function closed(server: Server): Promise<void> {
  const gone = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await gone
}

// Often enough that no limit is overdrawn by more than about a tenth.
function pulsePeriodMs({ heartbeatMs, pongTimeoutMs, stallTimeoutMs }: Limits): number {
  return Math.min(1_000, Math.max(5, Math.min(heartbeatMs, pongTimeoutMs, stallTimeoutMs) / 10))
}
