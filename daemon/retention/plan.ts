/** What is kept, and for how long; `config.json` says it. Zero: without end. */
export interface RetentionPolicy {
  keepSessionsMs: number
  keepTotalBytes: number
  rawLogs: 'keep' | 'compress' | 'drop'
  rawLogAfterMs: number
}

export interface RetentionFacts {
  /** Those that are not at work, in any order. */
  sessions: readonly SessionFacts[]
  /** All that is kept, also of sessions at work. */
  totalBytes: number
}

export interface SessionFacts {
  session: string
  /** When its record changed last: one that has changed since is not deleted. */
  updatedAt: number
  usedAt: number
  events: number
  /** Of its events, about. */
  eventBytes: number
  processes: readonly ProcessFacts[]
}

export interface ProcessFacts {
  process: string
  raw: 'kept' | 'compressed' | 'dropped'
  /** Of all its files. */
  bytes: number
  /** Of those that have not been packed. */
  plainBytes: number
}

export interface RetentionPlan {
  /** To be deleted, in this order. */
  sessions: PlannedSession[]
  rawLogs: PlannedLog[]
}

export interface PlannedSession {
  session: string
  reason: 'age' | 'size'
  /** Of its events, and of the files that are left by then. */
  bytes: number
  fileBytes: number
  events: number
  updatedAt: number
}

export interface PlannedLog {
  process: string
  session: string
  action: 'compress' | 'drop'
  /** Of all its files, now. */
  bytes: number
  /** About so much less, then. */
  freedBytes: number
}

/** A session that was used a moment ago is not deleted for its size, however large it is: somebody may be reading it. */
const recentMs = 60 * 60_000

/** Compressed, a raw log takes up about so much of what it did: recordings of Claude Code do a tenth. */
const packedShare = 0.1

/** What of that which is kept is to go, and why: first by age, then raw logs, then by size what has been unused longest. */
export function planRetention(facts: RetentionFacts, policy: RetentionPolicy, now: number): RetentionPlan {
  const plan: RetentionPlan = { sessions: [], rawLogs: [] }
  let totalBytes = facts.totalBytes
  const oldestFirst = facts.sessions.toSorted((one, other) => one.usedAt - other.usedAt)
  const isOlder = ({ usedAt }: SessionFacts, ms: number) => now - usedAt > ms
  const expired = (session: SessionFacts) => policy.keepSessionsMs > 0 && isOlder(session, policy.keepSessionsMs)

  const remove = (session: SessionFacts, reason: 'age' | 'size') => {
    const freedBefore = plan.rawLogs.filter(log => log.session === session.session)
    const fileBytes = sum(session.processes, process => process.bytes) - sum(freedBefore, freed)
    const bytes = session.eventBytes + fileBytes
    const { session: id, events, updatedAt } = session
    plan.sessions.push({ session: id, reason, bytes, fileBytes, events, updatedAt })
    totalBytes -= bytes
  }
  const reduce = (session: SessionFacts) => {
    const logs = rawLogsOf(session, policy.rawLogs)
    plan.rawLogs.push(...logs)
    totalBytes -= sum(logs, freed)
  }

  const kept = oldestFirst.filter(session => !expired(session))
  for (const session of oldestFirst) if (expired(session)) remove(session, 'age')
  for (const session of kept) if (isOlder(session, policy.rawLogAfterMs)) reduce(session)
  for (const session of kept) {
    if (policy.keepTotalBytes === 0 || totalBytes <= policy.keepTotalBytes) break
    if (isOlder(session, recentMs)) remove(session, 'size')
  }
  return plan
}

const freed = ({ freedBytes }: PlannedLog) => freedBytes
const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)

/** Also what an earlier daemon did not bring to its end: files that are still there beside the pack, or after it was dropped. */
function rawLogsOf({ session, processes }: SessionFacts, keep: RetentionPolicy['rawLogs']): PlannedLog[] {
  return processes.flatMap(({ process, raw, bytes, plainBytes }): PlannedLog[] => {
    if (raw === 'dropped' || keep === 'drop') {
      return bytes > 0 ? [{ process, session, action: 'drop', bytes, freedBytes: bytes }] : []
    }
    if (plainBytes === 0 || (keep === 'keep' && raw === 'kept')) return []
    return [{ process, session, action: 'compress', bytes, freedBytes: Math.round(plainBytes * (1 - packedShare)) }]
  })
}
