import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log/log.ts'
import type { EventRow, Store } from '../store/store.ts'
import { createDelivery, type DeliveryCounts } from './delivery.ts'
import { createMessage } from './message.ts'
import { type NotificationTarget, nameOfTarget } from './notification-target.ts'
import { postWebhook } from './post-webhook.ts'
import { runCommand } from './run-command.ts'

/**
 * Sends published events to the configured commands and webhooks: an event once it can be read in the log, a terminal
 * one once it is on the disk. Delivery is at most once: if a daemon is killed, the next one does not deliver what was
 * published and not yet delivered.
 */
export interface Notifications {
  /**
   * Takes events of a session that have become visible. Returns at once; the work is done in later turns of the event
   * loop.
   */
  published(session: string, rows: readonly EventRow[]): void
  readonly counts: DeliveryCounts
  /** Gives deliveries `graceMs` to finish. Then drops waiting messages, and ends those that are under way. */
  close(): Promise<void>
}

export interface NotificationsOptions {
  targets: readonly NotificationTarget[]
  store: { sessions: Pick<Store['sessions'], 'get'>; runs: Pick<Store['runs'], 'get'> }
  environment: NodeJS.ProcessEnv
  log: Pick<Log, 'warn'>
  graceMs?: number
}

const defaultTimeoutMs = 10_000

export function createNotifications(options: NotificationsOptions): Notifications {
  const { store, environment, log, graceMs = 2_000 } = options
  const closing = new AbortController()
  const { signal } = closing
  setMaxListeners(0, signal)
  const targets = options.targets.map(target => ({
    on: new Set<string>(target.on),
    labels: Object.entries(target.labels ?? {}),
    delivery: createDelivery({ target: nameOfTarget(target), send: sender(target, environment), signal, log }),
  }))
  const wanted = new Set(targets.flatMap(({ on }) => [...on]))
  const pending: { session: string; row: EventRow }[] = []

  function tell(id: string, row: EventRow) {
    const session = store.sessions.get(id)
    const concerned = targets.filter(
      ({ on, labels }) => on.has(row.type) && labels.every(([name, value]) => session?.labels[name] === value),
    )
    if (concerned.length === 0) return
    const run = row.run === null ? undefined : store.runs.get(row.run)?.run
    const message = createMessage(row, id, session, run)
    for (const { delivery } of concerned) delivery.add(message)
  }

  function tellPending() {
    for (const { session, row } of pending.splice(0)) {
      try {
        tell(session, row)
      } catch (error) {
        log.warn('nobody could be notified of an event', { session, event: row.type, error })
      }
    }
  }

  function counts(): DeliveryCounts {
    const all = targets.map(({ delivery }) => delivery.counts)
    const sum = (count: keyof DeliveryCounts) => all.reduce((total, each) => total + each[count], 0)
    return { sent: sum('sent'), failed: sum('failed'), dropped: sum('dropped'), waiting: sum('waiting') }
  }

  return {
    published(session, rows) {
      if (signal.aborted) return
      for (const row of rows) {
        if (!wanted.has(row.type)) continue
        if (pending.length === 0) setImmediate(tellPending)
        pending.push({ session, row })
      }
    },
    get counts() {
      return counts()
    },
    async close() {
      tellPending()
      const idle = Promise.all(targets.map(({ delivery }) => delivery.idle()))
      const stopWaiting = new AbortController()
      const grace = delay(graceMs, undefined, { signal: stopWaiting.signal }).catch(() => {})
      await Promise.race([idle, grace])
      stopWaiting.abort()
      const { waiting } = counts()
      if (waiting > 0) log.warn('notifications were dropped: the daemon ends', { dropped: waiting })
      closing.abort()
      await idle
    },
  }
}

function sender(
  { command, url = '', headers = {}, timeoutMs = defaultTimeoutMs }: NotificationTarget,
  environment: NodeJS.ProcessEnv,
) {
  return (message: Parameters<typeof postWebhook>[1], signal: AbortSignal): Promise<void> =>
    command
      ? runCommand({ command, environment, timeoutMs }, message, signal)
      : postWebhook({ url, headers, timeoutMs }, message, signal)
}
