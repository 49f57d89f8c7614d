import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../protocol/limits.ts'
import type { Log } from '../log/log.ts'
import type { Message } from './message.ts'
import { NotTaken } from './post-webhook.ts'

/** Delivers messages to one target, one after the other, in order. */
export interface Delivery {
  /** Adds a message. If too many are waiting, the oldest of them is dropped. */
  add(message: Message): void
  /** Resolves when no message is waiting or under way. */
  idle(): Promise<void>
  readonly counts: DeliveryCounts
}

export interface DeliveryCounts {
  sent: number
  failed: number
  /** Dropped without an attempt, because too many were waiting. */
  dropped: number
  waiting: number
}

export interface DeliveryOptions {
  /** Name of the target in the log. */
  target: string
  send(message: Message, signal: AbortSignal): Promise<void>
  /** Aborted when nothing may be sent any more. */
  signal: AbortSignal
  log: Pick<Log, 'warn'>
  /** Delay in ms before each further attempt to send a message that was not taken. */
  retryMs?: readonly number[]
  maxWaiting?: number
  /** Shortest time in ms between two log lines about faults. */
  quietMs?: number
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { target, send, signal, log, retryMs = [1_000, 10_000], quietMs = 60_000 } = options
  const maxWaiting = options.maxWaiting ?? limits.maxNotificationsWaiting
  const counts = { sent: 0, failed: 0, dropped: 0 }
  const waiting: Message[] = []
  let working: Promise<void> | undefined
  let toldAt = -Infinity
  const untold = { failed: 0, dropped: 0 }

  /**
   * Logs the first fault at once. Further faults within `quietMs` are counted, and logged with the first one after it.
   */
  function tell(what: 'failed' | 'dropped', message: string, details: object) {
    counts[what]++
    untold[what]++
    if (performance.now() - toldAt < quietMs) return
    toldAt = performance.now()
    log.warn(message, { target, ...details, ...untold })
    Object.assign(untold, { failed: 0, dropped: 0 })
  }

  async function deliver(message: Message) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send(message, signal)
      } catch (error) {
        const waitMs = retryMs[attempt]
        if (!(error instanceof NotTaken) || waitMs === undefined || signal.aborted) throw error
        await delay(waitMs, undefined, { signal })
      }
    }
  }

  async function work() {
    while (!signal.aborted) {
      const message = waiting.shift()
      if (!message) break
      const { event, session } = message
      try {
        await deliver(message)
        counts.sent++
      } catch (error) {
        tell('failed', 'a notification could not be delivered', { event, session, error })
      }
    }
    working = undefined
  }

  return {
    add(message) {
      if (signal.aborted) return
      if (waiting.length >= maxWaiting) {
        const { event, session } = waiting.shift()!
        tell('dropped', 'a notification was dropped: too many wait', { event, session })
      }
      waiting.push(message)
      working ??= work()
    },
    idle: () => working ?? Promise.resolve(),
    get counts() {
      return { ...counts, waiting: waiting.length }
    },
  }
}
