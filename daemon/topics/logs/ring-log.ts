import { cutEvent } from './cut-event.ts'
import { createRecentTexts } from './recent-texts.ts'
import type { TopicLog } from './topic-log.ts'

/** A topic in memory. Its epoch is the daemon's instance. If it exceeds its bounds, the oldest records are dropped. */
export interface RingLog extends TopicLog {
  /** Gives the record its `seq` and `time` (ms since epoch) and makes it visible. Returns the `seq`. */
  append(record: object, time: number): number
  whole(seq: number): string | undefined
}

/**
 * Bounds of `sessions`: enough for a client that was away for a while. A client that was away longer reads the lists.
 */
export const sessionsRingBounds = { maxRecords: 10_000, maxBytes: 16 * 1024 * 1024 }

/** Bounds of `workspaces`: a client that missed records lists the workspaces. */
export const workspacesRingBounds = { maxRecords: 1_000, maxBytes: 4 * 1024 * 1024 }

/** Latest value only, as on `daemon`. */
export const latestOnly = { maxRecords: 1, maxBytes: Infinity }

export function createRingLog(options: {
  epoch: string
  maxRecords: number
  maxBytes: number
  maxEventBytes: number
  /** Returns the record as every client may see it. */
  shown?: (record: object) => object
}): RingLog {
  const { shown = record => record } = options
  const texts = createRecentTexts(0)
  return {
    epoch: options.epoch,
    first: texts.first,
    head: texts.head,
    // Texts are cut when they are read, so that `event.get` has them whole; few records are ever that large.
    read: (after, limit, maxBytes) =>
      texts.read(after, limit, maxBytes).map(text => cutEvent(text, options.maxEventBytes)),
    whole: texts.at,
    append(record, time) {
      const seq = texts.head() + 1
      texts.push(JSON.stringify({ seq, time, ...shown(record) }))
      // The newest record stays, however large.
      while (seq > texts.first() && (seq - texts.first() >= options.maxRecords || texts.bytes() > options.maxBytes)) {
        texts.shift()
      }
      return seq
    },
  }
}
