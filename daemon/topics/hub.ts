import type { Viewer } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'
import { passHookPoint } from '../hook-points.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { createChannel } from './channel.ts'
import type { Channel, Outbox, Sink, Subscription, Watcher } from './delivery.ts'
import { createOutbox, type OutboxHub } from './outbox.ts'
import { takePage } from './subscription.ts'
import type { TopicLookup } from './topic-log.ts'

/**
 * The cursors on each topic, and the one flush at the end of each event-loop turn: everything due to a connection, over
 * all its topics and with its answers, leaves in one write. The only way to a subscriber is to read the log at its
 * cursor. Live delivery is fast because a page is built once a turn and shared.
 */
export interface Hub {
  /** The topic's head has moved. Cheap: the work is done at the end of the turn. */
  published(topic: string): void
  /** The topic is gone; its subscriptions end. */
  closed(topic: string): void
  /** Adds a connection. `who` returns its client, once that is known. */
  attach(sink: Sink, who?: () => Watcher | undefined): Outbox
  subscriptions(): number
  /** The clients subscribed to a topic, with an entry for each connection. */
  watching(topic: string): Viewer[]
  /** Flushes now instead of at the end of the turn. */
  flush(): void
}

export function createHub(options: {
  lookup: TopicLookup
  limits: Pick<Limits, 'eventsPageBytes' | 'highWaterBytes' | 'maxSubscriptions'>
  /** A connection has subscribed to a topic or left it. */
  onWatched?: (topic: string) => void
  now?: () => number
}): Hub {
  const { lookup, limits, onWatched, now = Date.now } = options
  const channels = new Map<string, Channel>()
  const dirty = new Set<Channel>()
  // Outboxes with chunks to write, each once: an outbox is added with its first chunk.
  let touched: Outbox[] = []
  // Outboxes with cursors behind and room in their socket, the next to serve first.
  const catchingUp = new Set<Outbox>()
  // Channels that built pages in this turn.
  const paged = new Set<Channel>()
  let subscriptions = 0
  let scheduled = false

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(flush)
  }

  const flush = () => {
    scheduled = false
    for (const channel of dirty) pushLive(channel)
    dirty.clear()
    if (catchingUp.size > 0) {
      // Connections that are only live do not wait for history that is read for others.
      writeTouched(outbox => !catchingUp.has(outbox))
      catchUp()
    }
    writeTouched()
    for (const channel of paged) channel.forgetPages()
    paged.clear()
    if (catchingUp.size > 0) schedule()
  }

  const writeTouched = (isDue: (outbox: Outbox) => boolean = () => true) => {
    const outboxes = touched
    touched = []
    for (const outbox of outboxes) {
      if (isDue(outbox)) write(outbox)
      else touched.push(outbox)
    }
  }

  const pushLive = (channel: Channel) => {
    paged.add(channel)
    for (const subscription of channel.subscriptions) {
      if (subscription.state !== 'live') continue
      if (subscription.outbox.unsentBytes() <= limits.highWaterBytes) serve(subscription)
      else subscription.state = 'behind'
      // After a burst larger than a page, or with a full socket, the subscription catches up.
      if (isBehind(subscription)) fallBehind(subscription)
    }
  }

  // Serves one page to each outbox in turn, and within an outbox to each of its topics in turn, up to a number of bytes
  // for each event-loop turn. However much is replayed, live events wait for one such portion at most.
  const catchUp = () => {
    let budget = limits.highWaterBytes
    for (const outbox of catchingUp) {
      if (budget <= 0) return
      catchingUp.delete(outbox)
      // This bound is below the high-water mark, so that topics that catch up leave room for live ones.
      if (outbox.unsentBytes() >= limits.eventsPageBytes) continue
      const subscription = outbox.internals.behind.shift()
      if (subscription === undefined) continue
      paged.add(subscription.channel)
      if (subscription.state === 'behind') budget -= serve(subscription)
      if (isBehind(subscription)) outbox.internals.behind.push(subscription)
      // Adding it again moves it to the end.
      if (outbox.internals.behind.length > 0) catchingUp.add(outbox)
    }
  }

  const serve = (subscription: Subscription): number => {
    const { outbox } = subscription
    try {
      const page = takePage(subscription, limits.eventsPageBytes)
      if (page === undefined) return 0
      queue(outbox, page.frame)
      return page.frame.length
    } catch (error) {
      // A deleted session leaves the store before its topic is closed.
      if (lookup(subscription.channel.topic) === undefined) {
        outbox.unsubscribe(subscription.channel.topic)
        return 0
      }
      outbox.close()
      outbox.internals.sink.fault(error)
      return 0
    }
  }

  const queue = (outbox: Outbox, frame: Buffer) => {
    const { internals } = outbox
    if (internals.chunks.length === 0) touched.push(outbox)
    internals.chunks.push(frame)
    internals.chunkBytes += frame.length
  }

  const fallBehind = (subscription: Subscription) => {
    subscription.outbox.internals.behind.push(subscription)
    catchingUp.add(subscription.outbox)
  }

  const internal: OutboxHub = {
    now,
    channel(topic) {
      let channel = channels.get(topic)
      if (channel === undefined) {
        const log = lookup(topic)
        if (log === undefined) throw new RpcError('not_found', `there is no topic ${topic}`, { topic })
        channel = createChannel(topic, log)
        channels.set(topic, channel)
      }
      return channel
    },
    joined(subscription) {
      subscription.channel.subscriptions.add(subscription)
      subscriptions++
      onWatched?.(subscription.channel.topic)
    },
    left(subscription) {
      const { channel } = subscription
      if (!channel.subscriptions.delete(subscription)) return
      subscriptions--
      onWatched?.(channel.topic)
      if (channel.subscriptions.size > 0) return
      channels.delete(channel.topic)
      dirty.delete(channel)
    },
    queue(outbox, frame) {
      queue(outbox, frame)
      schedule()
    },
    behind(outbox) {
      catchingUp.add(outbox)
      schedule()
    },
  }

  return {
    published(topic) {
      const channel = channels.get(topic)
      if (channel === undefined) return
      dirty.add(channel)
      schedule()
    },
    closed(topic) {
      const channel = channels.get(topic)
      if (channel === undefined) return
      for (const { outbox } of channel.subscriptions) outbox.unsubscribe(topic)
    },
    attach: (sink, who = () => undefined) => createOutbox(internal, sink, who, limits),
    subscriptions: () => subscriptions,
    watching: topic =>
      [...(channels.get(topic)?.subscriptions ?? [])].flatMap(({ outbox, since }) => {
        const who = outbox.internals.who()
        return who === undefined ? [] : [{ ...who, since }]
      }),
    flush,
  }
}

// A function, because the compiler assumes that `state` is still what it was before `serve` changed it.
const isBehind = (subscription: Subscription) => subscription.state === 'behind'

function write({ internals }: Outbox): void {
  const { chunks } = internals
  if (chunks.length === 0) return
  internals.chunkBytes = 0
  internals.sink.write(chunks, internals.onWritten)
  passHookPoint('published')
  chunks.length = 0
}
