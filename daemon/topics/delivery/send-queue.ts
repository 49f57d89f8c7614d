import type { ParamsOf, ResultOf, Methods } from '../../../protocol/index.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { textFrame } from './ws-frame.ts'
import type { Channel, SendQueue, SendQueueInternals, Sink, Subscription, Watcher } from './delivery.ts'
import { placeCursor } from './cursor.ts'
import { subscriptionStatus } from './subscription.ts'
import { createWindow } from './window.ts'

/** The hub, as a send queue sees it. */
export interface SendQueueHub {
  now(): number
  /** Throws `not_found`. */
  channel(topic: string): Channel
  joined(subscription: Subscription): void
  /** Removes the subscription from its channel, and the channel with its last subscription. */
  left(subscription: Subscription): void
  /** Queues a frame to be written at the end of the turn. */
  queue(sendQueue: SendQueue, frame: Buffer): void
  /** The send queue has subscriptions that are behind, or its socket has room for them again. */
  behind(sendQueue: SendQueue): void
}

export function createSendQueue(
  hub: SendQueueHub,
  sink: Sink,
  who: () => Watcher | undefined,
  limits: { maxSubscriptions: number },
): SendQueue {
  const subscriptions = new Map<string, Subscription>()
  let held: Subscription[] = []
  // Upper bound of the unsent bytes of answers.
  let answerBytes = 0

  const end = (subscription: Subscription) => {
    subscription.state = 'ended'
    if (subscriptions.get(subscription.channel.topic) === subscription) subscriptions.delete(subscription.channel.topic)
    hub.left(subscription)
  }
  const catchUp = (subscription: Subscription) => {
    subscription.state = 'behind'
    internals.behind.push(subscription)
    hub.behind(sendQueue)
  }
  const internals: SendQueueInternals = {
    sink,
    who,
    chunks: [],
    chunkBytes: 0,
    behind: [],
    closed: false,
    onWritten() {
      if (internals.behind.length > 0) hub.behind(sendQueue)
    },
  }

  const sendQueue: SendQueue = {
    internals,
    send(text) {
      if (internals.closed) return
      const frame = textFrame(text)
      answerBytes = sendQueue.unsentAnswerBytes() + frame.length
      hub.queue(sendQueue, frame)
    },
    subscribe({
      topic,
      since,
      window,
    }: ParamsOf<Methods['topic']['subscribe']>): ResultOf<Methods['topic']['subscribe']> {
      const before = subscriptions.get(topic)
      if (before === undefined && subscriptions.size >= limits.maxSubscriptions) {
        const value = limits.maxSubscriptions
        throw new RpcError('limit', `this connection has ${value} subscriptions, the most it may have`, {
          limit: 'maxSubscriptions',
          value,
        })
      }
      const channel = hub.channel(topic)
      const { log } = channel
      const place = { epoch: log.epoch, first: log.first(), head: log.head() }
      const { after, ...recovery } = placeCursor(since, place)
      const subscription: Subscription = {
        channel,
        sendQueue,
        after,
        since: before?.since ?? hub.now(),
        window: window === undefined ? undefined : createWindow(window),
        state: 'held',
      }
      hub.joined(subscription)
      if (before !== undefined) end(before)
      subscriptions.set(topic, subscription)
      held.push(subscription)
      return { topic, ...place, ...recovery }
    },
    release() {
      if (held.length === 0) return
      for (const subscription of held) if (subscription.state === 'held') catchUp(subscription)
      held = []
    },
    unsubscribe(topic) {
      const subscription = subscriptions.get(topic)
      if (subscription !== undefined) end(subscription)
    },
    ack(topic, seq) {
      const subscription = subscriptions.get(topic)
      if (subscription?.window === undefined) return
      subscription.window.ack(seq)
      if (subscription.state === 'waiting' && subscription.window.isOpen()) catchUp(subscription)
    },
    heads: () =>
      Object.fromEntries([...subscriptions].map(([topic, subscription]) => [topic, subscription.channel.log.head()])),
    cursors: () => [...subscriptions.values()].map(subscriptionStatus),
    unsentBytes: () => internals.chunkBytes + sink.unsentBytes(),
    unsentAnswerBytes: () => (answerBytes = Math.min(answerBytes, sendQueue.unsentBytes())),
    close() {
      internals.closed = true
      internals.chunks.length = 0
      internals.chunkBytes = 0
      internals.behind.length = 0
      for (const subscription of subscriptions.values()) end(subscription)
    },
  }
  return sendQueue
}
