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
 * Which cursors sit on which topic, and the one flush at the end of each event-loop turn: everything due to a
 * connection, over all its topics and with its answers, leaves in one write. There is one way to a subscriber, reading
 * the log at its cursor; that a page is built once a turn and shared is all that makes being live fast.
 */
export interface Hub {
  /** The topic's head has moved. Cheap: the work is done at the end of the turn. */
  published(topic: string): void
  /** The topic is no more: its subscriptions end. */
  closed(topic: string): void
  /** `who` it is of, once that is known. */
  attach(sink: Sink, who?: () => Watcher | undefined): Outbox
  subscriptions(): number
  /** Who is subscribed to a topic: an entry for each connection. */
  watching(topic: string): Viewer[]
  /** The flush now instead of at the end of the turn. */
  flush(): void
}

export function createHub(options: {
  lookup: TopicLookup
  limits: Pick<Limits, 'eventsPageBytes' | 'highWaterBytes' | 'maxSubscriptions'>
  /** Somebody has come to a topic or left it. */
  onWatched?: (topic: string) => void
  now?: () => number
}): Hub {
  const { lookup, limits, onWatched, now = Date.now } = options
  const channels = new Map<string, Channel>()
  const dirty = new Set<Channel>()
  // Outboxes that have chunks to write, each once: those whose chunks were empty when the first was added.
  let touched: Outbox[] = []
  // Outboxes with cursors behind and room in their socket, the next one to be served first.
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
      // Who is only live does not wait for what is read for others.
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
      // A burst larger than a page, or a full socket: from here on it catches up.
      if (isBehind(subscription)) fallBehind(subscription)
    }
  }

  // One page to each outbox in turn, and within an outbox to each of its topics in turn, up to so many bytes a turn:
  // however much is replayed, live events wait for one such portion at most.
  const catchUp = () => {
    let budget = limits.highWaterBytes
    for (const outbox of catchingUp) {
      if (budget <= 0) return
      catchingUp.delete(outbox)
      // Below the mark for live events: a topic that catches up leaves room for those that are live.
      if (outbox.unsentBytes() >= limits.eventsPageBytes) continue
      const subscription = outbox.internals.behind.shift()
      if (subscription === undefined) continue
      paged.add(subscription.channel)
      if (subscription.state === 'behind') budget -= serve(subscription)
      if (isBehind(subscription)) outbox.internals.behind.push(subscription)
      // Added again it comes last.
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
      // A session that is deleted is gone from the store before its topic is closed.
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

// A function, for the compiler believes that `state` is still what it was compared with before `serve` changed it.
const isBehind = (subscription: Subscription) => subscription.state === 'behind'

function write({ internals }: Outbox): void {
  const { chunks } = internals
  if (chunks.length === 0) return
  internals.chunkBytes = 0
  internals.sink.write(chunks, internals.onWritten)
  passHookPoint('published')
  chunks.length = 0
}
