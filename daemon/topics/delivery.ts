import type { SubscriptionStatus, Viewer } from '../../protocol/index.ts'
import type { Subscriptions } from '../rpc/handlers.ts'
import type { TopicLog } from './topic-log.ts'
import type { Window } from './window.ts'

// What delivery is made of. A channel knows its subscriptions, a subscription its channel and its outbox, and an outbox
// the subscriptions that are behind.

/** A topic with subscribers. Pages are built from the log once and shared until `forgetPages` (the end of the turn). */
export interface Channel {
  readonly topic: string
  readonly log: TopicLog
  readonly subscriptions: Set<Subscription>
  /** What follows `after`, up to about `maxBytes`; undefined where nothing does. Where the log was trimmed beyond `after`, it starts at `first`: the subscriber sees the gap. */
  page(after: number, maxBytes: number): Page | undefined
  /** Whether anything that follows `after` is kept. */
  hasMore(after: number): boolean
  forgetPages(): void
}

/** Contiguous events of a topic as one `events` notification: WebSocket bytes that are the same for every subscriber. */
export interface Page {
  /** The page holds events `after + 1` to `to`. */
  readonly after: number
  readonly to: number
  readonly frame: Buffer
  /** Bytes of each event's text. */
  sizes(): readonly number[]
  /** Its first `count` events as a page of their own. */
  part(count: number): Page
}

/**
 * A connection's cursor on a topic.
 * - `held`: placed, but the answer to `topic.subscribe` is not out yet
 * - `live`: nothing was left to send when it was last looked at: what is published goes out in the same turn
 * - `behind`: reads on page by page as its socket takes them
 * - `waiting`: its window is full until the client acknowledges
 * - `ended`: unsubscribed, replaced, or its connection or topic is gone
 */
export interface Subscription {
  readonly channel: Channel
  readonly outbox: Outbox
  readonly window: Window | undefined
  /** Since when this connection is subscribed to the topic, wherever its cursor was moved since. */
  readonly since: number
  /** Everything up to here was handed to the socket. */
  after: number
  state: 'held' | 'live' | 'behind' | 'waiting' | 'ended'
}

/** What waits to be written to one connection in this turn, and its cursors. */
export interface Outbox extends Subscriptions {
  /** Queues a message; all that is queued in a turn leaves in one write. */
  send(text: string): void
  /** Lets the cursors go that were placed since the last call: their answers are queued. */
  release(): void
  /** Head of each subscribed topic. */
  heads(): Record<string, number>
  /** How each subscription is. */
  cursors(): SubscriptionStatus[]
  /** Bytes that were queued or written and that the system has not taken yet. */
  unsentBytes(): number
  /** How many of them are of messages that were sent by `send`, about: at most so many. */
  unsentAnswerBytes(): number
  close(): void
  /** For the hub. */
  readonly internals: OutboxInternals
}

export interface OutboxInternals {
  readonly sink: Sink
  readonly who: () => Watcher | undefined
  readonly chunks: Buffer[]
  chunkBytes: number
  /** Cursors in state `behind`, the next one to be served first. */
  readonly behind: Subscription[]
  readonly onWritten: () => void
  closed: boolean
}

/** Who a connection is of. */
export type Watcher = Omit<Viewer, 'since'>

/** A connection's socket, as topics see it. */
export interface Sink {
  /** Bytes handed to `write` that the system has not taken yet. */
  unsentBytes(): number
  /** Writes the chunks in order, as one; calls `onWritten` when the system has them. The array is the caller's again. */
  write(chunks: readonly Buffer[], onWritten: () => void): void
  /** The log could not be read: what the subscriber was promised cannot be kept. */
  fault(error: unknown): void
}
