import type { Cursor, EventOn, TopicName } from '../../protocol/index.ts'
import { onAbort } from './abort.ts'
import { type Channel, createChannel, roomyBytes } from './channel.ts'
import { iterate } from './iterate.ts'
import { createReader, type Gap, type Reader, type Since } from './reader.ts'
import type { Link } from './reconnect.ts'

export interface SubscribeOptions {
  /** Default `end`: what comes from now on. */
  since?: Since | undefined
  signal?: AbortSignal | undefined
  /** Bytes that may wait here, sent but not taken (default 1 MiB, at least 1 KiB). */
  window?: number | undefined
}

/**
 * The events of a topic in order, none twice; over lost connections it goes on after what was taken last, and where that
 * is impossible there is a `gap` in their place. Begins with the first `next()`, ends by `return()` (leaving the loop),
 * throws the signal's reason, what closed the connection, or the `RpcError` that refused the subscription.
 */
export interface Subscription<Item> extends AsyncIterableIterator<Item> {
  /** Everything up to here has been taken: a `since` to go on from another time. */
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
    // A subscription ends with its session, which is told in no other way.
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
      // At once, though its owner may never ask for more: the others would wait for it.
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

  /** A bare `seq` is a place in the log as it is now, whose epoch has to be asked for. */
  async function cursorOf(topic: string, since: Since, signal: AbortSignal): Promise<Reader['place']> {
    if (typeof since === 'string') return since
    const { epoch, seq } = since
    if (epoch !== undefined) return { epoch, seq }
    const page = await link.call('topic.read', { topic, after: seq, limit: 1 }, { signal, repeatable: true })
    return { epoch: (page as Cursor).epoch, seq }
  }
}
