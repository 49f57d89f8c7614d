import type { Cursor, EventOn, TopicName } from '../../protocol/index.ts'
import { onAbort } from './abort.ts'
import { type Channel, createChannel, roomyBytes } from './channel.ts'
import { iterate } from './iterate.ts'
import { createReader, type Gap, type Reader, type Since } from './reader.ts'
import type { Link } from './reconnect.ts'

export interface SubscribeOptions {
  /** Where to begin. Default `end`: events from now on. */
  since?: Since | undefined
  signal?: AbortSignal | undefined
  /** The most bytes that are sent and not taken from the iterator yet (default 1 MiB, at least 1 KiB). */
  window?: number | undefined
}

/**
 * The events of a topic, in order, none twice. After a lost connection the subscription continues behind the last event
 * taken. Where that is impossible, a `gap` takes the place of the missing events.
 *
 * The subscription begins with the first `next()` and ends with `return()` (leaving the loop). It throws the signal's
 * reason, the error that closed the connection, or the `RpcError` with which the daemon refused it.
 */
export interface Subscription<Item> extends AsyncIterableIterator<Item> {
  /**
   * The caller has taken everything up to this cursor. Pass it as `since` to continue later. Undefined until the
   * subscription has begun.
   */
  readonly cursor: Cursor | undefined
}

export type Subscribe = <Topic extends TopicName>(
  topic: Topic,
  options?: SubscribeOptions,
) => Subscription<EventOn<Topic> | Gap>

export function createTopics(link: Link): Subscribe {
  const channels = new Map<string, Channel>()

  link.onNotification((notification, size) => {
    const { method, params } = notification
    if (method === 'events') channels.get(params.topic)?.receive(params.epoch, params.events, size)
    // The daemon ends a subscription with its session and reports that only by the topic's absence in `heads`.
    if (method === 'heartbeat') for (const [topic, channel] of channels) if (!(topic in params.heads)) channel.missed()
  })
  link.onState(state => {
    if (state === 'open') for (const channel of channels.values()) channel.renewed()
  })

  const channelOf = (topic: string) => {
    const channel = channels.get(topic) ?? createChannel(topic, link, () => channels.delete(topic))
    channels.set(topic, channel)
    return channel
  }

  return (topic, { since = 'end', signal, window = roomyBytes } = {}) => {
    let reader: Reader | undefined
    async function* read(stop: AbortSignal) {
      link.signal.throwIfAborted()
      stop.throwIfAborted()
      const from = await cursorOf(topic, since, stop)
      const channel = channelOf(topic)
      reader = createReader(from, window, size => channel.taken(size))
      const detachLink = onAbort(link.signal, reason => reader!.fail(reason))
      const leave = () => channel.leave(reader!)
      channel.join(reader)
      // Leave at once: the caller may never call `next()` again, and the other readers of the channel would wait for
      // it.
      const detachCaller = onAbort(stop, reason => {
        reader!.fail(reason, 'now')
        leave()
      })
      try {
        yield* reader.read()
      } finally {
        detachLink()
        detachCaller()
        leave()
      }
    }
    const iterator = iterate(signal, read) as AsyncIterableIterator<EventOn<typeof topic> | Gap>
    return Object.defineProperty(iterator, 'cursor', {
      get: () => reader?.cursor,
    }) as Subscription<EventOn<typeof topic> | Gap>
  }

  /**
   * Returns the position to begin at. A `seq` without an epoch is a position in the present log, so this reads the
   * log's epoch.
   */
  async function cursorOf(topic: string, since: Since, signal: AbortSignal): Promise<Reader['place']> {
    if (typeof since === 'string') return since
    const { epoch, seq } = since
    if (epoch !== undefined) return { epoch, seq }
    const page = await link.call('topic.read', { topic, after: seq, limit: 1 }, { signal, repeatable: true })
    return { epoch: (page as Cursor).epoch, seq }
  }
}
