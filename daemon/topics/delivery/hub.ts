import type { Viewer } from '../../../protocol/index.ts'
import type { Limits } from '../../../protocol/limits.ts'
import { passHookPoint } from '../../hook-points.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { createChannel } from './channel.ts'
import type { Channel, SendQueue, Sink, Subscription, Watcher } from './delivery.ts'
import { createSendQueue, type SendQueueHub } from './send-queue.ts'
import { takePage } from './subscription.ts'
import type { TopicLookup } from '../logs/topic-log.ts'

/**
 * The cursors on each topic, and the one flush at the end of each event-loop turn: everything due to a connection, over
 * all its topics and with its answers, leaves in one write. Subscribers receive only what is read from the log
 * at their cursor. Live delivery is fast because a page is built once a turn and shared.
 */
export interface Hub {
  /** The topic's head has moved. Cheap: the work is done at the end of the turn. */
  published(topic: string): void
  /** Ends the subscriptions of a topic that does not exist any more. */
  closed(topic: string): void
  /** Adds a connection. `who` returns its client, once that is known. */
  attach(sink: Sink, who?: () => Watcher | undefined): SendQueue
  subscriptions(): number
  /** The clients subscribed to a topic, with an entry for each connection. */
  watching(topic: string): Viewer[]
  /** Flushes now instead of at the end of the turn. */
  flush(): void
}

export function createHub(options: {
  lookup: TopicLookup
  limits: Pick<Limits, 'eventsPageBytes' | 'highWaterBytes' | 'maxSubscriptions'>
  /** Called when a connection has subscribed to a topic or left it. */
  onWatched?: (topic: string) => void
  now?: () => number
}): Hub {
  const { lookup, limits, onWatched, now = Date.now } = options
  const channels = new Map<string, Channel>()
  const dirty = new Set<Channel>()
  // Send queues with chunks to write. A send queue is added with its first chunk, so each is there once.
  let touched: SendQueue[] = []
  // Send queues with subscriptions that are behind, in the order in which they are served. A queue with a full socket
  // is taken out until the socket has room.
  const catchingUp = new Set<SendQueue>()
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
      writeTouched(sendQueue => !catchingUp.has(sendQueue))
      catchUp()
    }
    writeTouched()
    for (const channel of paged) channel.forgetPages()
    paged.clear()
    if (catchingUp.size > 0) schedule()
  }

  const writeTouched = (isDue: (sendQueue: SendQueue) => boolean = () => true) => {
    const queues = touched
    touched = []
    for (const sendQueue of queues) {
      if (isDue(sendQueue)) write(sendQueue)
      else touched.push(sendQueue)
    }
  }

  const pushLive = (channel: Channel) => {
    paged.add(channel)
    for (const subscription of channel.subscriptions) {
      if (subscription.state !== 'live') continue
      if (subscription.sendQueue.unsentBytes() <= limits.highWaterBytes) serve(subscription)
      else subscription.state = 'behind'
      // After a burst larger than a page, or with a full socket, the subscription catches up.
      if (isBehind(subscription)) fallBehind(subscription)
    }
  }

  // Serves one page to each send queue in turn, and within a queue to each of its topics in turn, up to a number of
  // bytes for each event-loop turn. However much is replayed, live events wait for one such portion at most.
  const catchUp = () => {
    let budget = limits.highWaterBytes
    for (const sendQueue of catchingUp) {
      if (budget <= 0) return
      catchingUp.delete(sendQueue)
      // This bound is below the high-water mark, so that topics that catch up leave room for live ones.
      if (sendQueue.unsentBytes() >= limits.eventsPageBytes) continue
      const subscription = sendQueue.internals.behind.shift()
      if (subscription === undefined) continue
      paged.add(subscription.channel)
      if (subscription.state === 'behind') budget -= serve(subscription)
      if (isBehind(subscription)) sendQueue.internals.behind.push(subscription)
      // Adding it again moves it to the end.
      if (sendQueue.internals.behind.length > 0) catchingUp.add(sendQueue)
    }
  }

  const serve = (subscription: Subscription): number => {
    const { sendQueue } = subscription
    try {
      const page = takePage(subscription, limits.eventsPageBytes)
      if (page === undefined) return 0
      queue(sendQueue, page.frame)
      return page.frame.length
    } catch (error) {
      // A deleted session leaves the store before its topic is closed.
      if (lookup(subscription.channel.topic) === undefined) {
        sendQueue.unsubscribe(subscription.channel.topic)
        return 0
      }
      sendQueue.close()
      sendQueue.internals.sink.fault(error)
      return 0
    }
  }

  const queue = (sendQueue: SendQueue, frame: Buffer) => {
    const { internals } = sendQueue
    if (internals.chunks.length === 0) touched.push(sendQueue)
    internals.chunks.push(frame)
    internals.chunkBytes += frame.length
  }

  const fallBehind = (subscription: Subscription) => {
    subscription.sendQueue.internals.behind.push(subscription)
    catchingUp.add(subscription.sendQueue)
  }

  const internal: SendQueueHub = {
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
    queue(sendQueue, frame) {
      queue(sendQueue, frame)
      schedule()
    },
    behind(sendQueue) {
      catchingUp.add(sendQueue)
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
      for (const { sendQueue } of channel.subscriptions) sendQueue.unsubscribe(topic)
    },
    attach: (sink, who = () => undefined) => createSendQueue(internal, sink, who, limits),
    subscriptions: () => subscriptions,
    watching: topic =>
      [...(channels.get(topic)?.subscriptions ?? [])].flatMap(({ sendQueue, since }) => {
        const who = sendQueue.internals.who()
        return who === undefined ? [] : [{ ...who, since }]
      }),
    flush,
  }
}

// A function, because the compiler assumes that `state` is still what it was before `serve` changed it.
const isBehind = (subscription: Subscription) => subscription.state === 'behind'

function write({ internals }: SendQueue): void {
  const { chunks } = internals
  if (chunks.length === 0) return
  internals.chunkBytes = 0
  internals.sink.write(chunks, internals.onWritten)
  passHookPoint('published')
  chunks.length = 0
}
