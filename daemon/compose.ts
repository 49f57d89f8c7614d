import { rmSync } from 'node:fs'
import { nanoid } from 'nanoid'
import packageJson from '../package.json' with { type: 'json' }
import type { DaemonEvent } from '../protocol/index.ts'
import { limits } from '../protocol/limits.ts'
import { createOperatorPresence } from './sessions/operator-presence.ts'
import { createAgentTable } from './agent-table.ts'
import type { Agent } from './agents/agent.ts'
import { createClaude } from './agents/claude/agent.ts'
import { buildId } from './build-id.ts'
import type { Config } from './config.ts'
import { createDiskNotice } from './disk-notice.ts'
import { distDirectory } from './dist.ts'
import { syncRawLog } from './pty-host/sync-raw-log.ts'
import { createRemotePtyHost } from './pty-host/remote.ts'
import { openHome, openSockets, writeInfo } from './home/home.ts'
import { watchHome } from './home/home-watch.ts'
import { lockHome } from './home/home-lock.ts'
import { inheritable } from './inherited-environment.ts'
import type { Log } from './log/log.ts'
import { createNotifications } from './notify/notifications.ts'
import { createGc } from './retention/gc.ts'
import { createReclaimer } from './retention/reclaim.ts'
import { startForgettingKeys } from './rpc/forget-keys.ts'
import { type RunningServer, startServer } from './server/start-server.ts'
import { findStaticFiles } from './server/static-files.ts'
import { approvalHandlers } from './sessions/approval-handlers.ts'
import { availableMemory } from './os/available-memory.ts'
import { locksDirectory, createConversationLocks } from './sessions/conversation-lock/locks.ts'
import { sessionHandlers } from './sessions/handlers.ts'
import { createMemoryBudget } from './sessions/scheduling/memory-budget.ts'
import { createSessions } from './sessions/sessions.ts'
import { createShutdown, type Shutdown } from './shutdown.ts'
import { daemonHandlers, freeBytes } from './status.ts'
import { createJournal } from './store/journal/journal.ts'
import { ballastFile } from './store/disk/ballast.ts'
import { bootId } from './os/boot-id.ts'
import { openStore } from './store/open.ts'
import { syncChanged } from './os/sync-changed.ts'
import { tokenHandlers } from './tokens/handlers.ts'
import { createPageCodes } from './tokens/page-codes.ts'
import { createTokens } from './tokens/tokens.ts'
import { topicHandlers } from './topics/handlers.ts'
import { createHub, type Hub } from './topics/delivery/hub.ts'
import { createPresence, type Presence } from './topics/presence.ts'
import { createPublisher } from './topics/publisher.ts'
import { createTopics } from './topics/topics.ts'
import { workspaceHandlers } from './workspaces/workspaces.ts'
import { usageHandlers } from './usage/handlers.ts'

export interface Daemon extends Pick<Shutdown, 'close' | 'closed'> {
  /** URL of the WebSocket. */
  readonly url: string
  /** Returns a link to the page with a code that works once. */
  pageLink(): string
}

export const version = packageJson.version

/** A disk with less free space counts as full. */
const roomBytes = 1024 * 1024

/** The agents of muxd. A program that composes a daemon itself may have others. */
export const productAgents = ({ claudeBin, environment, allowEnvironment }: Config): Agent[] => [
  createClaude({ bin: claudeBin, environment, inherited: inheritable(environment, allowEnvironment) }),
]

/**
 * Puts the parts together and starts to listen. Rejects if it cannot; `main.ts` lists the expected errors. It is one long
 * function because it is a list: each part needs some of those above it, and is closed in the reverse order.
 */
export async function startDaemon(config: Config, log: Log, agentsOf = productAgents): Promise<Daemon> {
  const startedAt = Date.now()
  const home = openHome(config.home)
  // A start writes small files. Removing the ballast makes room for them; it is created again when there is enough.
  if (freeBytes(home.directory) < roomBytes) rmSync(ballastFile(home.database), { force: true })
  const unlock = lockHome(home)
  // Functions that close the parts, in the order of opening; called in reverse.
  const opened: (() => unknown)[] = [unlock]
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }

  try {
    // Remove the files of a killed daemon. The lock proves that it has ended.
    for (const stale of [home.socket, home.info]) rmSync(stale, { force: true })
    const tokens = createTokens(home.tokens, { log, onReplaced: () => tellInfo() })
    opened.push(() => tokens.close())
    const instance = nanoid()
    const { agents, available, locateAll } = createAgentTable(agentsOf(config), (agent, error) =>
      log.warn('the program of an agent was not found', { agent, error }),
    )
    // Only `hello` and `daemon.status` report it, so the start does not wait.
    const located = locateAll()

    const store = openStore(home.database, { boot: bootId(), log })
    // The raw logs of processes that continue without the daemon are not synced.
    const allIsOnDisk = () => store.processes.live().length === 0 && syncChanged(home.processes, startedAt)
    opened.push(() => store.close({ inOrder: allIsOnDisk() }))
    opened.push(startForgettingKeys(store.requests, log))

    const topics = createTopics({ store, instance, processesDir: home.processes, agents })
    const hub: Hub = createHub({ lookup: topics.lookup, limits, onWatched: topic => presence.changed(topic) })
    const presence: Presence = createPresence({
      watching: hub.watching,
      exists: session => store.sessions.get(session) !== undefined,
      publish(record) {
        topics.sessions.append(record, Date.now())
        hub.published('sessions')
      },
      limits,
    })
    opened.push(() => presence.close())
    const publisher = createPublisher({ ...topics, hub, now: Date.now })
    const notifications = createNotifications({
      targets: config.notifications,
      store,
      environment: config.environment,
      log,
    })
    opened.push(() => notifications.close())
    const sessionEvents: typeof publisher.sessionEvents = (session, rows) => {
      publisher.sessionEvents(session, rows)
      notifications.published(session, rows)
    }
    let syncFailed: (error: unknown) => void
    const failedSync = new Promise<unknown>(resolve => void (syncFailed = resolve))
    const journal = createJournal(
      store,
      { ...publisher, sessionEvents },
      {
        onError: error => log.error('the journal failed', { error }),
        onSyncFailed: error => syncFailed(error),
        // The reader reports any bytes that a power failure then removes.
        syncOutput: process =>
          syncRawLog(home.processes, process).catch((error: unknown) =>
            log.error('a raw log could not be synced to the disk', { process, error }),
          ),
      },
    )

    const publishState = (state: DaemonEvent['state'], detail?: string) => {
      topics.daemon.append({ type: 'daemon_status', state, ...(detail !== undefined && { detail }) }, Date.now())
      hub.published('daemon')
    }
    const disk = createDiskNotice(() => store.ballast.restore() && freeBytes(home.directory) > roomBytes, publishState)

    const reclaimer = createReclaimer({ store, processesDir: home.processes, log })

    const operatorPresence = createOperatorPresence()

    const ptyHost = await createRemotePtyHost({ home, logLevel: config.logLevel, muxd: version, log })
    opened.push(() => ptyHost.leave())

    const conversationLocks = createConversationLocks({
      directory: locksDirectory(config.environment),
      home: home.directory,
    })
    const sessions = createSessions({
      store,
      journal,
      ptyHost,
      config,
      log,
      agents,
      operatorPresence,
      memory: createMemoryBudget({
        minFreeBytes: config.minFreeBytes,
        availableBytes: () => availableMemory(),
        now: Date.now,
      }),
      conversationLocks,
      build: buildId(),
      home,
      processesDir: home.processes,
      onLoaded: session => topics.logs.open(session),
      onUnmade: session => topics.logs.drop(session),
      onOutput: session => hub.published(`session/${session}/frames`),
      onDiskFull: disk.full,
      onDeleted: reclaimer.reclaim,
    })

    // If the start fails from here on, the processes continue for the next start.
    opened.push(async () => {
      await sessions.leave()
      journal.flush()
    })
    sessions.takeOver()
    // Publish the ends of runs that the take-over has found before the first client connects.
    await journal.settled()

    const gc = createGc({
      agents,
      store,
      sessions,
      conversationLocks,
      reclaimer,
      processesDir: home.processes,
      policy: config,
      log,
    })
    opened.push(() => Promise.all([gc.close(), reclaimer.close()]))

    const shutdown = createShutdown({
      home,
      instance,
      log,
      disk,
      journal,
      sessions,
      ptyHost,
      conversationLocks,
      hub,
      server: () => server,
      publishState,
      located,
      closeAll,
    })
    const watch = watchHome(home, shutdown.homeLost)
    opened.push(() => watch.close())

    const codes = createPageCodes(limits)
    const pageUrl = () => server.url.replace(/^ws/, 'http').replace(/ws$/, '')

    const server: RunningServer = await startServer({
      host: config.host,
      port: config.port,
      socketPath: home.socket,
      openSockets: () => openSockets(home),
      tokens,
      page: {
        files: findStaticFiles(distDirectory()),
        redeem(code) {
          const role = codes.redeem(code)
          return role && { role, token: tokens.createForPage(role).secret }
        },
      },
      allowedHosts: config.allowedHosts,
      allowedOrigins: config.allowedOrigins,
      handlers: {
        ...daemonHandlers({
          version,
          startedAt,
          home,
          config,
          store,
          sessions,
          gc,
          ptyHost,
          notifications,
          agents: available,
          server: () => server,
          stop: (reason, options) => void shutdown.close(reason, options).catch(() => {}),
        }),
        ...sessionHandlers(sessions, agents, presence.viewers),
        ...approvalHandlers(sessions),
        ...topicHandlers(topics.lookup),
        ...tokenHandlers(tokens, codes, pageUrl),
        ...workspaceHandlers({
          table: store.workspaces,
          publish(record) {
            topics.workspaces.append(record, Date.now())
            hub.published('workspaces')
          },
          now: Date.now,
        }),
        ...usageHandlers(store.usage, () => journal.view.whenPublished()),
      },
      hub,
      operatorPresence,
      requests: store.requests,
      version,
      instance,
      node: process.versions.node,
      agents: available,
      log,
      limits: { maxRuns: config.maxRuns, unattendedMs: config.unattendedMs },
      checkResults: config.checkResults,
    })

    const tellInfo = () => {
      const { control: token, observe: observeToken } = tokens.builtIn()
      const { url } = server
      writeInfo(home, {
        url,
        socket: home.socket,
        token,
        observeToken,
        pid: process.pid,
        instance,
        version,
        args: config.args,
        foreground: config.logTo === 'stderr',
      })
    }

    void failedSync.then(shutdown.diskFailed)
    publishState('running')
    gc.start()
    tellInfo()
    log.info('listening', { url: server.url, home: home.directory, pid: process.pid, version })
    const pageLink = () => `${pageUrl()}#code=${codes.make('control').code}`
    return { url: server.url, pageLink, close: shutdown.close, closed: shutdown.closed }
  } catch (error) {
    await closeAll()
    throw error
  }
}
