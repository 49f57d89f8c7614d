/** What is kept, and for how long, from `config.json`. Zero means no limit. */
export interface RetentionPolicy {
  keepSessionsMs: number
  keepTotalBytes: number
  /** With `keep`, raw logs are not dropped for their age, only for the total size. */
  rawLogs: 'keep' | 'drop'
  rawLogAfterMs: number
}

export interface RetentionFacts {
  /** The sessions that are not at work, in any order. */
  sessions: readonly SessionFacts[]
  /** Bytes of everything kept, including sessions at work. */
  totalBytes: number
}

export interface SessionFacts {
  session: string
  /** When its record last changed. A session whose record has changed since is not deleted. */
  updatedAt: number
  usedAt: number
  events: number
  /** Bytes of its events, approximately. */
  eventBytes: number
  processes: readonly ProcessFacts[]
}

export interface ProcessFacts {
  process: string
  raw: 'kept' | 'dropped'
  /** Null while it lives. */
  endedAt: number | null
  /** Bytes of all its files. */
  bytes: number
}

export interface RetentionPlan {
  /** Sessions to delete, in this order. */
  sessions: PlannedSession[]
  /** Raw logs to drop, in this order. */
  rawLogs: PlannedLog[]
}

export interface PlannedSession {
  session: string
  reason: 'age' | 'size'
  /** Bytes of its events, and of the files that are left by then. */
  bytes: number
  fileBytes: number
  events: number
  updatedAt: number
}

export interface PlannedLog {
  process: string
  session: string
  reason: 'age' | 'size'
  /** Bytes of all its files. */
  bytes: number
}

/** A session used within this time is not deleted for size, however large it is: somebody may be reading it. */
const recentMs = 60 * 60_000

/**
 * Plans what is removed, and why. First everything that is too old: sessions, then raw logs. Then, while everything
 * together is too large: the oldest raw logs, and only when none is left, the sessions that have been unused longest.
 */
export function planRetention(facts: RetentionFacts, policy: RetentionPolicy, now: number): RetentionPlan {
  const plan: RetentionPlan = { sessions: [], rawLogs: [] }
  let totalBytes = facts.totalBytes
  const oldestFirst = facts.sessions.toSorted((one, other) => one.usedAt - other.usedAt)
  const isOlder = ({ usedAt }: SessionFacts, ms: number) => now - usedAt > ms
  const expired = (session: SessionFacts) => policy.keepSessionsMs > 0 && isOlder(session, policy.keepSessionsMs)
  const isTooLarge = () => policy.keepTotalBytes > 0 && totalBytes > policy.keepTotalBytes

  const remove = (session: SessionFacts, reason: 'age' | 'size') => {
    const dropped = plan.rawLogs.filter(log => log.session === session.session)
    const fileBytes = sum(session.processes) - sum(dropped)
    const bytes = session.eventBytes + fileBytes
    const { session: id, events, updatedAt } = session
    plan.sessions.push({ session: id, reason, bytes, fileBytes, events, updatedAt })
    totalBytes -= bytes
  }
  const drop = ({ process, session, bytes }: OwnedProcess, reason: 'age' | 'size') => {
    plan.rawLogs.push({ process, session, reason, bytes })
    totalBytes -= bytes
  }

  const kept = oldestFirst.filter(session => !expired(session))
  for (const session of oldestFirst) if (expired(session)) remove(session, 'age')

  const left: OwnedProcess[] = []
  for (const session of kept) {
    const isUnused = policy.rawLogs === 'drop' && isOlder(session, policy.rawLogAfterMs)
    for (const process of session.processes) {
      // Files of a dropped log were left by a killed daemon, or packed by an earlier version.
      const isDue = isUnused || process.raw === 'dropped'
      if (process.endedAt === null || process.bytes === 0) continue
      const owned = { ...process, endedAt: process.endedAt, session: session.session }
      if (isDue) drop(owned, 'age')
      else left.push(owned)
    }
  }

  for (const process of left.toSorted((one, other) => one.endedAt - other.endedAt)) {
    if (!isTooLarge()) break
    drop(process, 'size')
  }
  for (const session of kept) {
    if (!isTooLarge()) break
    if (isOlder(session, recentMs)) remove(session, 'size')
  }
  return plan
}

interface OwnedProcess extends ProcessFacts {
  session: string
  endedAt: number
}

const sum = (items: readonly { bytes: number }[]) => items.reduce((total, { bytes }) => total + bytes, 0)
