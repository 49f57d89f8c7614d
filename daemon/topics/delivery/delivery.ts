import type { SubscriptionStatus, Viewer } from '../../../protocol/index.ts'
import type { Subscriptions } from '../../rpc/handlers.ts'
import type { TopicLog } from '../logs/topic-log.ts'
import type { Window } from './window.ts'

// The parts of delivery. A channel knows its subscriptions, a subscription knows its channel and its send queue, and a
// send queue knows the subscriptions that are behind.

/**
 * A topic with subscribers. Its pages are built from the log once and shared until `forgetPages`, at the end of the
 * turn.
 */
export interface Channel {
  readonly topic: string
  readonly log: TopicLog
  readonly subscriptions: Set<Subscription>
  /**
   * The events after `after`, up to about `maxBytes`; undefined if there are none. If the log was trimmed beyond
   * `after`, the page starts at `first`, and the subscriber sees the gap.
   */
  page(after: number, maxBytes: number): Page | undefined
  /** Whether any event after `after` is kept. */
  hasMore(after: number): boolean
  forgetPages(): void
}

/** Contiguous events of a topic as one `events` notification: WebSocket bytes that all subscribers share. */
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
 * - `held`: the cursor is placed, but the answer to `topic.subscribe` is not queued yet
 * - `live`: nothing was left to send at the last look, so published events go out in the same turn
 * - `behind`: reads on page by page as its socket takes them
 * - `waiting`: its window is full until the client acknowledges
 * - `ended`: unsubscribed, replaced, or its connection or topic is gone
 */
export interface Subscription {
  readonly channel: Channel
  readonly sendQueue: SendQueue
  readonly window: Window | undefined
  /** When this connection subscribed to the topic (ms since epoch). Moving the cursor does not change it. */
  readonly since: number
  /** The cursor: everything up to this `seq` was queued for the socket. */
  after: number
  state: 'held' | 'live' | 'behind' | 'waiting' | 'ended'
}

/** The cursors of one connection, and the messages to write to it at the end of this turn. */
export interface SendQueue extends Subscriptions {
  /** Queues a message. Everything queued in a turn leaves in one write. */
  send(text: string): void
  /** Starts delivery to the cursors placed since the last call, because their answers are queued now. */
  release(): void
  /** Head of each subscribed topic. */
  heads(): Record<string, number>
  /** The status of each subscription. */
  cursors(): SubscriptionStatus[]
  /** Bytes queued or written that the system has not taken yet. */
  unsentBytes(): number
  /** How many of the unsent bytes belong to messages of `send`; an upper bound. */
  unsentAnswerBytes(): number
  close(): void
  /** For the hub. */
  readonly internals: SendQueueInternals
}

export interface SendQueueInternals {
  readonly sink: Sink
  readonly who: () => Watcher | undefined
  readonly chunks: Buffer[]
  chunkBytes: number
  /** Subscriptions in state `behind`, in the order in which they are served. */
  readonly behind: Subscription[]
  readonly onWritten: () => void
  closed: boolean
}

/** The client of a connection. */
export type Watcher = Omit<Viewer, 'since'>

/** A connection's socket, as topics see it. */
export interface Sink {
  /** Bytes handed to `write` that the system has not taken yet. */
  unsentBytes(): number
  /**
   * Writes the chunks in order, in one write; calls `onWritten` when the system has them. The caller may reuse the
   * array as soon as this returns.
   */
  write(chunks: readonly Buffer[], onWritten: () => void): void
  /** Called when the log could not be read, so the subscriber cannot get its events. */
  fault(error: unknown): void
}
