import type { EventRow, EventTable } from '../../store/store.ts'
import { cutEvent } from './cut-event.ts'
import { createRecentTexts, type RecentTexts } from './recent-texts.ts'
import type { TopicLog } from './topic-log.ts'

/**
 * Bounds of the texts of recent events in memory, in UTF-16 units (about bytes): for one session and for all together.
 */
export const recentBounds = { sessionBytes: 4 * 1024 * 1024, totalBytes: 64 * 1024 * 1024 }

/**
 * The logs of `session/<id>`: recent events from memory, older ones from the store, never more than is published. A
 * session's log is created at its first use. Only recently active sessions hold memory.
 */
export interface SessionLogs {
  /**
   * Returns the log of a session that exists. At its first use, its head is the newest stored event. So open it
   * before an append that is not published at once.
   */
  open(session: string): TopicLog
  /** Makes committed events visible. Skips rows that are visible already. */
  publish(session: string, rows: readonly EventRow[]): void
  /** Drops the log of a deleted session. */
  drop(session: string): void
  /** Size of the texts in memory, in UTF-16 units. */
  heldBytes(): number
}

export function createSessionLogs(options: {
  events: Pick<EventTable, 'read' | 'get' | 'bounds'>
  epoch: string
  maxEventBytes: number
  bounds?: typeof recentBounds
}): SessionLogs {
  const { events, epoch, maxEventBytes, bounds = recentBounds } = options
  const logs = new Map<string, { log: TopicLog; recent: RecentTexts }>()
  // The logs that hold texts, in the order of their last publication. If the total is over its bound, the first ones
  // drop texts.
  const holding = new Set<RecentTexts>()
  let heldBytes = 0

  const entry = (session: string) => {
    let found = logs.get(session)
    if (found === undefined) {
      const { first, head } = events.bounds(session)
      const recent = createRecentTexts(head)
      found = { log: sessionLog(session, first, recent), recent }
      logs.set(session, found)
    }
    return found
  }

  const sessionLog = (session: string, first: number, recent: RecentTexts): TopicLog => ({
    epoch,
    first: () => first,
    head: recent.head,
    read(after, limit, maxBytes) {
      if (after + 1 >= recent.first()) return recent.read(after, limit, maxBytes)
      // Read up to where memory begins and no further: the store may hold more than is published.
      const texts = events.read(session, after, Math.min(limit, recent.first() - 1 - after), maxBytes)
      return texts.map(text => cutEvent(text, maxEventBytes))
    },
    whole: seq => (seq > recent.head() ? undefined : events.get(session, seq)?.text),
  })

  const shiftOldest = (recent: RecentTexts) => {
    const before = recent.bytes()
    recent.shift()
    heldBytes += recent.bytes() - before
  }

  const relieve = (recent: RecentTexts) => {
    while (recent.bytes() > bounds.sessionBytes) shiftOldest(recent)
    for (const other of holding) {
      if (heldBytes <= bounds.totalBytes) return
      while (other.bytes() > 0 && heldBytes > bounds.totalBytes) shiftOldest(other)
      if (other.bytes() === 0) holding.delete(other)
    }
  }

  return {
    open: session => entry(session).log,
    publish(session, rows) {
      const { recent } = entry(session)
      holding.delete(recent)
      holding.add(recent)
      for (const row of rows) {
        if (row.seq <= recent.head()) continue
        if (row.seq > recent.head() + 1)
          throw new Error(`${session}: event ${row.seq} published after ${recent.head()}`)
        const before = recent.bytes()
        recent.push(cutEvent(row.text, maxEventBytes))
        heldBytes += recent.bytes() - before
      }
      relieve(recent)
    },
    drop(session) {
      const found = logs.get(session)
      if (found === undefined) return
      heldBytes -= found.recent.bytes()
      holding.delete(found.recent)
      logs.delete(session)
    },
    heldBytes: () => heldBytes,
  }
}
