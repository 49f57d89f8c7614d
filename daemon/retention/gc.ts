import type { GcResult } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { AgentCodec } from '../agents/agent.ts'
import type { Log } from '../log/log.ts'
import type { ConversationLocks } from '../sessions/conversation-lock/locks.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { isDamage, type Store } from '../store/store.ts'
import { dropRawLog } from './drop-raw-log.ts'
import { eventBytes, rawBytes, retentionFacts } from './facts.ts'
import { inSlices } from './in-slices.ts'
import { removeLeftovers } from './leftovers.ts'
import {
  type PlannedLog,
  type PlannedSession,
  planRetention,
  type RetentionFacts,
  type RetentionPlan,
  type RetentionPolicy,
} from './plan.ts'
import type { Reclaimer } from './reclaim.ts'
import { withRoom } from './with-room.ts'

/**
 * Applies the retention policy: at the start, every hour, and on request. Runs follow one another, never two at once.
 */
export interface Gc {
  /** Resolves with what was deleted and dropped, or with `dryRun` what would be. */
  run(options: { dryRun: boolean }): Promise<GcResult>
  /** Starts the first run now, in the background, and then one every hour. */
  start(): void
  /** Stops the run that is under way; the next daemon continues it. */
  close(): Promise<void>
}

export interface GcContext {
  /** Read the output of their sessions' processes. */
  agents: ReadonlyMap<string, AgentCodec>
  store: Store
  sessions: Pick<Sessions, 'isAtWork' | 'deleteUnused'>
  conversationLocks: Pick<ConversationLocks, 'removeStale'>
  reclaimer: Reclaimer
  processesDir: string
  policy: RetentionPolicy & { keepUsageMs: number }
  log: Log
}

const intervalMs = 60 * 60_000
const usageRowsAtOnce = 200

export function createGc(context: GcContext): Gc {
  const { agents, store, sessions, reclaimer, processesDir, policy, log } = context
  const closing = new AbortController()
  const { signal } = closing
  let last: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  /** Returns undefined if a page of the events is damaged: then the estimate counts. */
  const measure = async (session: string): Promise<number | undefined> => {
    try {
      return await eventBytes(store, session, signal)
    } catch (error) {
      if (isDamage(error)) return undefined
      throw error
    }
  }

  /**
   * Measures the sessions that are planned on the basis of an estimate, and plans again until every planned one is
   * measured.
   */
  const plan = async (facts: RetentionFacts): Promise<RetentionPlan> => {
    const measured = new Map<string, number>()
    for (;;) {
      const known = facts.sessions.map(session => ({
        ...session,
        eventBytes: measured.get(session.session) ?? session.eventBytes,
      }))
      const planned = planRetention({ ...facts, sessions: known }, policy, Date.now())
      const guessed = planned.sessions.filter(({ session }) => !measured.has(session))
      if (guessed.length === 0) return planned
      for (const { session, bytes, fileBytes } of guessed) {
        measured.set(session, (await measure(session)) ?? bytes - fileBytes)
      }
    }
  }

  const deleteSession = async ({ session, updatedAt }: PlannedSession): Promise<boolean> => {
    signal.throwIfAborted()
    const isUnused = store.sessions.get(session)?.updatedAt === updatedAt
    return isUnused && (await sessions.deleteUnused(session))
  }
  const deleteOld = async (planned: PlannedSession[]): Promise<PlannedSession[]> => {
    const deleted: PlannedSession[] = []
    for (const session of planned) if (await deleteSession(session)) deleted.push(session)
    return deleted
  }
  /** Removes one after the other, and no more than necessary: the plan is based on what existed when it was made. */
  const whileTooLarge = async <T>(
    planned: readonly T[],
    fileBytesOf: (one: T) => number,
    remove: (one: T) => Promise<boolean>,
  ): Promise<T[]> => {
    const removed: T[] = []
    let fileBytes = await rawBytes(processesDir)
    for (const each of planned) {
      await reclaimer.settled()
      if (store.usedBytes() + fileBytes <= policy.keepTotalBytes) break
      if (!(await remove(each))) continue
      removed.push(each)
      fileBytes -= fileBytesOf(each)
    }
    return removed
  }

  const dropLog = async ({ process: id, session }: PlannedLog): Promise<boolean> => {
    signal.throwIfAborted()
    const process = store.processes.get(id)
    if (!process || process.endedAt === null || sessions.isAtWork(session)) return false
    try {
      await withRoom(store, () => dropRawLog({ agents, store, processesDir }, process, signal))
      return true
    } catch (error) {
      signal.throwIfAborted()
      log.warn('a raw log could not be dropped', { process: id, error })
      return false
    }
  }

  const execute = async (planned: RetentionPlan): Promise<{ done: RetentionPlan; freedBytes: number }> => {
    const because = <T extends { reason: string }>(reason: string, all: T[]) => all.filter(one => one.reason === reason)
    const sessionsDone = await deleteOld(because('age', planned.sessions))
    const rawLogs: PlannedLog[] = []
    for (const rawLog of because('age', planned.rawLogs)) if (await dropLog(rawLog)) rawLogs.push(rawLog)
    rawLogs.push(...(await whileTooLarge(because('size', planned.rawLogs), ({ bytes }) => bytes, dropLog)))
    const tooMuch = because('size', planned.sessions)
    sessionsDone.push(...(await whileTooLarge(tooMuch, ({ fileBytes }) => fileBytes, deleteSession)))
    await reclaimer.settled()
    const leftovers = await removeLeftovers({ store, processesDir }, Date.now())
    if (leftovers.length > 0) log.info('what belongs to no process was removed', { leftovers })
    const done = { sessions: sessionsDone, rawLogs }
    return { done, freedBytes: expectedBytes(done) }
  }

  const locksFailed = (error: unknown) => log.warn('stale locks of conversations could not be removed', { error })
  const forgetUsage = (before: number) => inSlices(() => store.usage.forgetBefore(before, usageRowsAtOnce) > 0, signal)

  const run = async (dryRun: boolean): Promise<GcResult> => {
    // Removes what earlier deletions left because they were interrupted or the disk was full.
    if (!dryRun) await reclaimer.reclaim()
    const facts = await retentionFacts({ store, processesDir }, sessions.isAtWork, signal)
    const planned = await plan(facts)
    if (dryRun) return resultOf(planned, expectedBytes(planned), true)
    const { done, freedBytes } = await execute(planned)
    await context.conversationLocks.removeStale().catch(locksFailed)
    if (policy.keepUsageMs > 0) await forgetUsage(Date.now() - policy.keepUsageMs)
    if (done.sessions.length + done.rawLogs.length > 0) {
      log.info('kept to the retention', { sessions: done.sessions.length, rawLogs: done.rawLogs.length, freedBytes })
    }
    return resultOf(done, freedBytes, false)
  }

  const inTurn = (dryRun: boolean): Promise<GcResult> => {
    const result = last.then(() => run(dryRun))
    last = result.catch(() => {})
    return result
  }
  const runByItself = () => {
    inTurn(false).catch((error: unknown) => {
      if (!signal.aborted) log.warn('what is not to be kept could not be removed', { error })
    })
  }

  return {
    run: ({ dryRun }) => inTurn(dryRun),
    start() {
      runByItself()
      timer = setInterval(runByItself, intervalMs)
      timer.unref()
    },
    async close() {
      clearInterval(timer)
      closing.abort()
      await last
    },
  }
}

const expectedBytes = ({ sessions, rawLogs }: RetentionPlan) =>
  sessions.reduce((sum, { bytes }) => sum + bytes, 0) + rawLogs.reduce((sum, { bytes }) => sum + bytes, 0)

function resultOf({ sessions, rawLogs }: RetentionPlan, freedBytes: number, dryRun: boolean): GcResult {
  const most = limits.maxPageSize
  return {
    dryRun,
    sessions: sessions.slice(0, most).map(({ session, reason, bytes, events }) => ({ session, reason, bytes, events })),
    rawLogs: rawLogs.slice(0, most).map(({ process, session, reason, bytes }) => ({ process, session, reason, bytes })),
    more: { sessions: Math.max(0, sessions.length - most), rawLogs: Math.max(0, rawLogs.length - most) },
    freedBytes,
  }
}
