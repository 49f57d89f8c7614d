import type { DaemonEvent } from '../protocol/index.ts'
import type { DiskNotice } from './disk-notice.ts'
import { type Home, removeInfo } from './home/home.ts'
import type { HomeLost } from './home/home-watch.ts'
import type { Log } from './log/log.ts'
import type { RemotePtyHost } from './pty-host/remote.ts'
import type { RunningServer } from './server/start-server.ts'
import type { ConversationLocks } from './sessions/conversation-lock/locks.ts'
import { removeTemporary } from './sessions/recovery/orphans.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { CloseOptions } from './status.ts'
import type { Journal } from './store/journal/journal.ts'
import type { Hub } from './topics/delivery/hub.ts'

/** The end of a daemon. The first of these calls decides how it ends. */
export interface Shutdown {
  /** Stops in order: ends runs as `interrupted` unless they are kept, stores everything, sends `bye` to all clients. */
  close(reason: string, options?: CloseOptions): Promise<void>
  /** The daemon would lose what it writes to removed files, so it stops in order while it can still tell its clients. */
  homeLost(loss: HomeLost): void
  /** Stops and leaves everything as it is: the state of the disk is unknown. The next daemon continues from there. */
  diskFailed(error: unknown): void
  /** Resolves when the daemon has stopped. Rejects with `SyncFailed` or `HomeLost` if one of them was the reason. */
  readonly closed: Promise<void>
}

export interface ShutdownOptions {
  home: Home
  instance: string
  log: Log
  disk: DiskNotice
  journal: Journal
  sessions: Sessions
  ptyHost: RemotePtyHost
  conversationLocks: ConversationLocks
  hub: Hub
  server: () => RunningServer
  publishState(state: DaemonEvent['state'], detail: string): void
  /** Resolves when the search for the agents' programs at the start is over. */
  located: Promise<unknown>
  /** Closes the parts that the start has opened, in reverse order. */
  closeAll(): Promise<void>
}

export function createShutdown(options: ShutdownOptions): Shutdown {
  const { home, log, disk, journal, sessions, ptyHost, conversationLocks, hub, publishState } = options
  let lost: HomeLost | undefined
  let closing: Promise<void> | undefined
  let settleClosed: (ended: Promise<void>) => void
  const closed = new Promise<void>(resolve => void (settleClosed = resolve))

  function close(reason: string, { keepSessions, restart }: CloseOptions = { keepSessions: false, restart: false }) {
    if (!closing) settleClosed((closing = end(reason, { keepSessions, restart })))
    return closing
  }

  async function end(reason: string, { keepSessions, restart }: CloseOptions) {
    log.info('stopping', { reason, keepSessions })
    disk.close()
    publishState('stopping', reason)
    if (keepSessions) await sessions.leave()
    else await sessions.shutdown(reason)
    await journal.settled()
    if (!keepSessions) {
      await ptyHost.close()
      await conversationLocks
        .removeStale()
        .catch((error: unknown) => log.warn('stale locks of conversations could not be removed', { error }))
      if (!lost) removeTemporary(home.processes, new Set())
    }
    await leave(restart ? 4001 : 4000, reason)
    log.info('stopped')
    if (lost) throw lost
  }

  async function fail(error: unknown) {
    log.error('the disk failed: the daemon ends', { error })
    const reason = (error as Error).message
    disk.close()
    publishState('disk_failed', reason)
    await leave(4000, reason)
    throw error
  }

  async function leave(code: 4000 | 4001, reason: string) {
    hub.flush()
    await options.server().close({ code, reason, reconnect: true })
    removeInfo(home, options.instance)
    await options.located
    await options.closeAll()
  }

  return {
    close,
    homeLost(loss) {
      log.error('the home was lost: the daemon ends', { error: loss })
      lost = loss
      void close(loss.message).catch(() => {})
    },
    diskFailed(error) {
      if (!closing) settleClosed((closing = fail(error)))
    },
    closed,
  }
}
