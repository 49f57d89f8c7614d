/**
 * A topic as its subscribers see it: an append-only log with a head. There is no separate live path: a subscriber is
 * live when its cursor has reached the head. All members are synchronous; texts are JSON of whole events.
 */
export interface TopicLog {
  readonly epoch: string
  /** Oldest `seq` that can still be read; `head + 1` when nothing is kept. */
  first(): number
  /** Newest `seq` that may be seen; 0 before the first event. */
  head(): number
  /**
   * Texts of events `after + 1 …`, contiguous, at most up to `head`. Ends with the event that passes `maxBytes`, or
   * with the `limit`th. Never empty while `after < head`.
   */
  read(after: number, limit: number, maxBytes: number): string[]
  /** Text of one event, never cut; undefined if it is not kept. A log without this member never cuts. */
  whole?(seq: number): string | undefined
}

/** Finds the log of a topic name; undefined when there is no such topic (an unknown or deleted session). */
export type TopicLookup = (topic: string) => TopicLog | undefined
