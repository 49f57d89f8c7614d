import { statfsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { protocolVersion } from '../protocol/messages.ts'
import type { AvailableAgent, DaemonStatus } from '../protocol/index.ts'
import { checkpointDistances } from './checkpoints.ts'
import type { Config } from './config.ts'
import type { RemotePtyHost } from './pty-host/remote.ts'
import type { Home } from './home/home.ts'
import type { Notifications } from './notify/notifications.ts'
import type { Gc } from './retention/gc.ts'
import type { Handlers } from './rpc/handlers.ts'
import type { RunningServer } from './server/start-server.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { Store } from './store/store.ts'

export interface CloseOptions {
  /** Keeps running sessions for the next daemon to take over. */
  keepSessions: boolean
  /** Tells clients that the next daemon starts at once. */
  restart: boolean
}

export interface StatusContext {
  version: string
  startedAt: number
  home: Home
  config: Config
  store: Store
  sessions: Sessions
  ptyHost: RemotePtyHost
  /** The agents that can be started now. */
  agents(): AvailableAgent[]
  server(): Pick<RunningServer, 'url' | 'connections' | 'subscriptions' | 'subscribers'>
  gc: Gc
  notifications: Pick<Notifications, 'counts'>
  /** Starts the orderly stop of the daemon. */
  stop(reason: string, options: CloseOptions): void
}

/** The methods that concern the daemon itself. */
export const daemonHandlers = (context: StatusContext): Pick<Handlers, 'daemon'> => ({
  daemon: {
    status: () => status(context),
    gc: ({ dryRun = false }) => context.gc.run({ dryRun }),
    stop({ restart = false, keepSessions = restart }, { actor }) {
      // Stop after the answer has been sent.
      setImmediate(() =>
        context.stop(`${restart ? 'restarted' : 'stopped'} by ${actor.name}`, { restart, keepSessions }),
      )
      return {}
    },
  },
})

async function status(context: StatusContext): Promise<DaemonStatus> {
  const { home, store, sessions, config } = context
  const { rss, heapUsed } = process.memoryUsage()
  const server = context.server()
  return {
    version: context.version,
    protocol: protocolVersion,
    node: process.versions.node,
    pid: process.pid,
    url: server.url,
    home: home.directory,
    agents: context.agents(),
    uptimeMs: Date.now() - context.startedAt,
    sessions: store.sessions.count(),
    processes: sessions.processes,
    runs: sessions.countRuns(),
    maxRuns: config.maxRuns,
    connections: server.connections(),
    subscriptions: server.subscriptions(),
    subscribers: server.subscribers(),
    memory: { rssBytes: rss, heapBytes: heapUsed },
    disk: {
      databaseBytes: store.sizeBytes(),
      ...(await walFacts(home.database)),
      rawBytes: await directoryBytes(home.processes),
      freeBytes: freeBytes(home.directory),
    },
    checkpoints: await checkpointDistances(store.processes, home.processes),
    ptyHost: ptyHostFacts(context.ptyHost),
    ...(config.notifications.length > 0 && { notifications: context.notifications.counts }),
  }
}

function ptyHostFacts(ptyHost: RemotePtyHost): DaemonStatus['ptyHost'] {
  const { state, pid, startedAt, muxd } = ptyHost.status()
  const processes = ptyHost.list().length
  if (pid === undefined || startedAt === undefined || muxd === undefined) return { state, processes }
  return { state, processes, pid, version: muxd, startedAt, uptimeMs: Date.now() - startedAt }
}

async function walFacts(database: string): Promise<{ walBytes: number; walMovedAt: number }> {
  const [wal, main] = await Promise.all([stat(`${database}-wal`).catch(() => undefined), stat(database)])
  return { walBytes: wal?.size ?? 0, walMovedAt: Math.round(main.mtimeMs) }
}

/** Returns the bytes that an unprivileged user can still write on the file system of `directory`. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

async function directoryBytes(directory: string): Promise<number> {
  const names = await readdir(directory)
  const sizes = await Promise.all(
    names.map(name =>
      stat(join(directory, name)).then(
        facts => facts.size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
