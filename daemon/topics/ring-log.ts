import { cutEvent } from './cut-event.ts'
import { createRecentTexts } from './recent-texts.ts'
import type { TopicLog } from './topic-log.ts'

/** A topic that lives in memory: its epoch is the daemon's instance, and what its bounds push out is gone. */
export interface RingLog extends TopicLog {
  /** Gives the record its `seq` and `time` (ms since epoch) and makes it visible. Returns the `seq`. */
  append(record: object, time: number): number
  whole(seq: number): string | undefined
}

/** Of `sessions`: enough for a client that was away for a while; one that was away longer reads the lists. */
export const sessionsRingBounds = { maxRecords: 10_000, maxBytes: 16 * 1024 * 1024 }

/** Of `workspaces`: one that missed some asks for them. */
export const workspacesRingBounds = { maxRecords: 1_000, maxBytes: 4 * 1024 * 1024 }

/** Latest value only, as on `daemon`. */
export const latestOnly = { maxRecords: 1, maxBytes: Infinity }

export function createRingLog(options: {
  epoch: string
  maxRecords: number
  maxBytes: number
  maxEventBytes: number
  /** A record as everybody may see it. */
  shown?: (record: object) => object
}): RingLog {
  const { shown = record => record } = options
  const texts = createRecentTexts(0)
  return {
    epoch: options.epoch,
    first: texts.first,
    head: texts.head,
    // Cut when it is read, so that `event.get` has it whole; few records are ever that large.
    read: (after, limit, maxBytes) =>
      texts.read(after, limit, maxBytes).map(text => cutEvent(text, options.maxEventBytes)),
    whole: texts.at,
    append(record, time) {
      const seq = texts.head() + 1
      texts.push(JSON.stringify({ seq, time, ...shown(record) }))
      // The newest one stays, however large.
      while (seq > texts.first() && (seq - texts.first() >= options.maxRecords || texts.bytes() > options.maxBytes)) {
        texts.shift()
      }
      return seq
    },
  }
}
