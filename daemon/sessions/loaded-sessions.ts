import type { EventBody, Session, SessionSpec } from '../../protocol/index.ts'
import { defaultAgent } from '../../protocol/agent.ts'
import type { Agent } from '../agents/agent.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { storageError } from '../rpc/storage-error.ts'
import type { JournalEntry } from '../store/journal/entry.ts'
import { agentOf, type Agents } from './agent-of.ts'
import { createTicker } from './effects/ticker.ts'
import { endIdleProcesses } from './idle-processes.ts'
import type { LiveSession } from './interpreter/live-session.ts'
import { createSession } from './interpreter/session.ts'
import { createRunWaiters, type RunWaiters } from './run-waiters.ts'
import type { MemoryBudget } from './scheduling/memory-budget.ts'
import { createScheduler } from './scheduling/scheduler.ts'
import type { SessionContext } from './session-context.ts'

export interface SessionsContext
  extends Omit<SessionContext, 'agent' | 'scheduler' | 'ticker' | 'onIdle' | 'onProcessIdle' | 'onPublished'> {
  agents: Agents
  /** For the processes that runs start. */
  memory: MemoryBudget
  /** Called when a session is loaded into memory, before anything is appended to its log. */
  onLoaded(session: string): void
  /** Called after a session was deleted. Resolves when only database rows are left of it. */
  onDeleted(): Promise<void>
}

/** The sessions in memory: those that are at work. The others are in the store until a call needs them. */
export interface LoadedSessions {
  readonly context: SessionsContext
  /** The sessions in memory by id. */
  readonly live: Map<string, LiveSession>
  readonly waiters: RunWaiters
  /** Sessions that are being deleted. Calls that name them fail with `not_found`. */
  readonly deleting: Set<string>
  isStopping: boolean
  /** Returns the session, from the store if it is not in memory. Throws `not_found`. */
  load(id: string): LiveSession
  /**
   * Loads a session into memory. `made`: the session is not stored yet. Its first entry stores it, and its log begins
   * with `opening`.
   */
  open(record: Session, made?: { opening: EventBody | undefined }): LiveSession
  /** The stored record. Throws `not_found`. */
  stored(id: string): Session
  /** The record as it is now, stored or not. Throws `not_found`. */
  present(id: string): Session
  agentFor(spec: Pick<SessionSpec, 'agent'>): Agent
  /** Commits an entry that does not come from a session's machine. Throws if it could not be stored. */
  commit(entry: Omit<JournalEntry, 'events' | 'onFailed'> & Partial<Pick<JournalEntry, 'events'>>): void
  /** Throws `unusable` for a session that can only be read, closed and deleted. */
  refuseUnusable(id: string): void
  /** Throws `overloaded` while the daemon stops. */
  refuseStopping(): void
}

export function createLoadedSessions(context: SessionsContext): LoadedSessions {
  const { config, journal, store } = context
  const live = new Map<string, LiveSession>()
  const waiters = createRunWaiters()
  const deleting = new Set<string>()
  const scheduler = createScheduler({
    maxRuns: config.maxRuns,
    hasMemory: context.memory.has,
    onStart: context.memory.reserve,
    // Ends only the process of the session that was unused for longest. That may free enough memory.
    relieve: () =>
      [...live.values()]
        .filter(({ record }) => record.process !== null)
        .toSorted((one, other) => one.record.usedAt - other.record.usedAt)
        .some(session => session.endIdleProcess()),
  })
  const sessionContext: Omit<SessionContext, 'agent'> = {
    ...context,
    scheduler,
    ticker: createTicker(),
    onUnmade(id) {
      live.delete(id)
      context.onUnmade(id)
    },
    onPublished: runs => {
      for (const { run } of runs) waiters.published(run)
    },
    onProcessIdle: () => endIdleProcesses(live.values(), config.maxIdleProcesses),
    onIdle(id) {
      if (!live.delete(id)) return
      // If the session is loaded again, everything that it has appended must be in the store.
      journal.flush()
    },
  }

  const loaded: LoadedSessions = {
    context,
    live,
    waiters,
    deleting,
    isStopping: false,
    load(id) {
      const record = loaded.stored(id)
      return live.get(id) ?? loaded.open(record)
    },
    open(record, made) {
      const agent = agentOf(context.agents, record.agent)
      context.onLoaded(record.session)
      const session = createSession({ ...sessionContext, agent }, record, made)
      live.set(record.session, session)
      return session
    },
    stored(id) {
      const session = store.sessions.get(id)
      if (!session || deleting.has(id)) throw notFound('session', id)
      return session
    },
    present(id) {
      const session = loaded.stored(id)
      return live.get(id)?.record ?? { ...session, head: store.events.bounds(id).head }
    },
    agentFor: ({ agent = defaultAgent }) => agentOf(context.agents, agent),
    commit(entry) {
      let failure: unknown
      journal.append({ events: [], ...entry, onFailed: error => void (failure = error) })
      journal.flush()
      if (failure !== undefined) throw storageError(failure)
    },
    refuseUnusable(id) {
      const { unusable } = loaded.present(id)
      if (!unusable) return
      throw new RpcError(
        'unusable',
        `session ${id} is unusable after an error inside muxd (${unusable.reason}): it can be read, closed and deleted`,
        { session: id, ...unusable },
      )
    },
    refuseStopping() {
      if (!loaded.isStopping) return
      throw new RpcError('overloaded', 'the daemon is stopping: nothing can be started', {
        limit: 'stopping',
        value: 0,
      })
    },
  }
  return loaded
}

export const notFound = (what: string, id: string) =>
  new RpcError('not_found', `there is no ${what} ${id}`, { [what]: id })

/** Turns an error that kept a call from being stored into an `RpcError`. */
export function asStored<Answer>(call: Promise<Answer>): Promise<Answer>
export function asStored<Answer>(call: Promise<Answer> | undefined): Promise<Answer | undefined>
export async function asStored<Answer>(call: Promise<Answer> | undefined): Promise<Answer | undefined> {
  try {
    return await call
  } catch (error) {
    throw storageError(error)
  }
}
