import type {
  Actor,
  Approval,
  ApprovalAnswer,
  CancelMode,
  EventBody,
  Importable,
  Run,
  RunLimits,
  Session,
  SessionChanges,
  SessionNaming,
  SessionSpec,
} from '../../protocol/index.ts'
import { defaultAgent } from '../../protocol/agent.ts'
import { limits } from '../../protocol/limits.ts'
import type { KeepAnswer } from '../rpc/idempotency.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { storageError } from '../rpc/storage-error.ts'
import type { JournalEntry } from '../store/journal/entry.ts'
import { createScheduler } from './scheduling/scheduler.ts'
import { agentOf, type Agents } from './agent-of.ts'
import { callError } from './interpreter/calls.ts'
import type { MemoryBudget } from './scheduling/memory-budget.ts'
import { openingEvent } from './launch/launch-mode.ts'
import { forkPoint } from './launch/fork.ts'
import { endIdleProcesses } from './idle-processes.ts'
import { checkImport } from './launch/import.ts'
import { listImportable } from './launch/importable.ts'
import {
  ConversationInUse,
  conversationKey,
  inUse,
  type OpenElsewhere,
  openElsewhere,
  type OpenMaybe,
} from './conversation-lock/session-lock.ts'
import { withoutEnded } from './left-processes.ts'
import { isEnded } from './run-state.ts'
import { withReportedMode } from './launch/permission-mode.ts'
import { endOrphans } from './orphans.ts'
import { createRunWaiters } from './run-waiters.ts'
import { createTicker } from './effects/ticker.ts'
import { cameTooLate } from './machine/call-errors.ts'
import { checkLeave, checkRules, newSession } from './launch/new-session.ts'
import { factsOf } from './recovery/stored-facts.ts'
import type { SessionContext } from './session-context.ts'
import type { LiveSession } from './interpreter/live-session.ts'
import { createSession } from './interpreter/session.ts'
import { type EventRow, type SessionFilter, SyncFailed } from '../store/store.ts'
import { removeTemporaryOf } from '../home/temporary-place.ts'
import { checkWorkingDirectory } from './launch/working-directory.ts'

/**
 * All sessions of a daemon. Sessions at work are in memory. The others are only in the store, and are loaded when a
 * call needs them. Every member throws `RpcError` for a mistake of the caller.
 */
export interface Sessions {
  create(session: NewSession, by: Actor, keep?: KeepAnswer): Session
  /** Changes a session, and its process if it has one. */
  update(session: string, changes: SessionChanges, by: Actor): Promise<Session>
  /** Creates a session with a copy of this session's conversation as it is now. */
  fork(session: string, naming: SessionNaming, by: Actor, keep?: KeepAnswer): Promise<Session>
  /** Lists the conversations in a directory. Marks those that `create` cannot import. */
  importable(cwd: string, limit: number): Promise<Importable[]>
  /**
   * Checks the conversation that a spec imports. Must be called before `create` or `startRun`. Resolves with the first
   * prompt of the conversation; with an empty object if the spec imports none.
   */
  checkImport(spec: SessionSpec, pointer: string): Promise<Pick<Session, 'firstPrompt'>>
  /**
   * Must be called before a run is started in a session. Rejects with `conflict` if the session's conversation is open
   * elsewhere, and with `unusable` for an unusable session.
   */
  checkOwner(session: string): Promise<void>
  get(session: string): Session
  /** `cursor` requests the page behind its session, in the same order. */
  list(filter: SessionFilter & { order?: 'created' | 'used' }): { session: Session; cursor: string }[]
  /** `sweep`: also ends the processes that the session's processes have left behind. */
  close(session: string, options: { force: boolean; sweep: boolean }, by: Actor): Promise<Session>
  delete(session: string, force: boolean, by: Actor): Promise<void>
  /** Queues a run in a session, or in a new one. A new session and its run are stored together or not at all. */
  startRun(session: string | NewSession, prompt: string, by: Actor, keep?: KeepAnswer, limits?: RunLimits): Promise<Run>
  getRun(run: string): Run
  listRuns(filter: { session?: string; state?: string; limit: number; after?: string }): Run[]
  /** How many runs there are in each state. */
  countRuns(): Record<string, number>
  moveRun(run: string, to: number, by: Actor): Promise<Run>
  /** Resolves with the run after the request. If the run has ended, its end is published by then. */
  cancelRun(run: string, by: Actor, mode: CancelMode, reason: string | undefined): Promise<Run>
  /** Resolves with the ended run, or with its current state when `signal` or `timeoutMs` ends the wait. */
  waitForRun(run: string, signal: AbortSignal, timeoutMs?: number): Promise<Run>
  getApproval(approval: string): Approval
  listApprovals(filter: { session?: string; state: Approval['state']; limit: number; after?: string }): Approval[]
  /**
   * The first valid answer counts. A later one is rejected with `conflict`, which names the decision and its author.
   */
  answerApproval(answer: ApprovalAnswer, by: Actor, keep?: KeepAnswer): Promise<Approval>
  /** Whether the session is in memory or has a live process. Retention leaves such a session alone. */
  isAtWork(session: string): boolean
  /**
   * Deletes a session. Resolves with false, and leaves it alone, if the session is at work, is being deleted or does
   * not exist, or if the daemon is stopping.
   */
  deleteUnused(session: string): Promise<boolean>
  /** How many sessions have a process. */
  readonly processes: number
  /**
   * Takes over what an earlier daemon left: the processes that the pty-host holds, and the active and queued runs. Ends
   * held processes that belong to no session. Called once, before anything else.
   */
  takeOver(): void
  /** Ends all runs and processes. Nothing can be started any more. */
  shutdown(reason: string): Promise<void>
  /** Stops acting and leaves everything running, for the next daemon to take over. */
  leave(): Promise<void>
}

export interface NewSession {
  spec: SessionSpec
  /** JSON pointer of the spec in the caller's params, for messages. */
  pointer: string
  /** What `checkImport` has found out about the imported conversation. */
  begun?: Pick<Session, 'firstPrompt'>
}

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

export function createSessions(context: SessionsContext): Sessions {
  const { store, journal, config } = context
  const live = new Map<string, LiveSession>()
  const waiters = createRunWaiters()
  // Sessions that are being deleted. Calls that name them fail with `not_found`.
  const deleting = new Set<string>()
  const looking = new Map<string, Promise<OpenElsewhere | OpenMaybe | undefined>>()
  let stopping = false

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

  const agentFor = ({ agent = defaultAgent }: Pick<SessionSpec, 'agent'>) => agentOf(context.agents, agent)

  /** Returns the session in memory, and loads it if necessary. */
  function load(id: string): LiveSession {
    const record = stored(id)
    return live.get(id) ?? takeUp(record)
  }

  function takeUp(record: Session, made?: { opening: EventBody | undefined }): LiveSession {
    const agent = agentOf(context.agents, record.agent)
    context.onLoaded(record.session)
    const session = createSession({ ...sessionContext, agent }, record, made)
    live.set(record.session, session)
    return session
  }

  /** Stores a new session that has nothing to do yet. `opening` is the first event of its log. */
  function storeNew(made: Session, opening: EventBody | undefined, keep: KeepAnswer | undefined): Session {
    const session = opening ? { ...made, head: 1 } : made
    const answer = keep && { answers: [keep(session)] }
    const events = opening ? [firstEvent(opening)] : []
    journalNow({ session: session.session, events, sessionRecord: session, created: true, ...answer, durable: false })
    return session
  }

  /** Throws `conflict` if another session has the conversation that a spec imports. */
  function refuseSecondOwner({ conversationId }: SessionSpec) {
    if (conversationId === undefined) return
    const atWork = [...live.values()].map(({ record }) => record)
    const owner =
      atWork.find(record => record.conversationId === conversationId) ?? store.sessions.ofConversation(conversationId)
    if (!owner) return
    const { session } = owner
    throw new RpcError('conflict', `session ${session} has the conversation ${conversationId} already`, { session })
  }

  /** Commits an entry that does not come from a session's machine. Throws if it could not be stored. */
  function journalNow(entry: Omit<JournalEntry, 'events' | 'onFailed'> & Partial<Pick<JournalEntry, 'events'>>) {
    let failure: unknown
    journal.append({ events: [], ...entry, onFailed: error => void (failure = error) })
    journal.flush()
    if (failure !== undefined) throw storageError(failure)
  }

  function stored(id: string): Session {
    const session = store.sessions.get(id)
    if (!session || deleting.has(id)) throw notFound('session', id)
    return session
  }

  /** Throws `unusable` for a session that can only be read, closed and deleted. */
  function refuseUnusable(id: string) {
    const { unusable } = present(stored(id))
    if (!unusable) return
    throw new RpcError(
      'unusable',
      `session ${id} is unusable after an error inside muxd (${unusable.reason}): it can be read, closed and deleted`,
      { session: id, ...unusable },
    )
  }

  const present = (session: Session): Session =>
    live.get(session.session)?.record ?? { ...session, head: store.events.bounds(session.session).head }

  /** Returns the record as readers may see it, without changes that still wait for a sync. */
  const shown = (session: Session): Session => withoutEnded(journal.view.session(session))

  function shownRun(id: string): Run {
    const run = journal.view.run(storedRun(id))
    if (!run) throw notFound('run', id)
    return withActivity(run)
  }

  /** Adds the last activity to a run that has not ended. */
  function withActivity(run: Run): Run {
    const activity = isEnded(run.state) ? undefined : live.get(run.session)?.activityOf(run.run)
    return activity ? { ...run, activity } : run
  }

  function storedRun(id: string): Run {
    const run = store.runs.get(id)
    if (!run) throw notFound('run', id)
    return run.run
  }

  function storedApproval(id: string): Approval {
    const approval = store.approvals.get(id)
    if (!approval) throw notFound('approval', id)
    return approval.approval
  }

  function refuseWhileBusy(session: LiveSession | undefined, id: string, force: boolean, what: string) {
    if (!session?.busy || force) return
    const run = session.record.lastRun
    throw new RpcError(
      'conflict',
      `session ${id} has a run that has not ended (${run}): cancel it first, or ${what} with force`,
      { run },
    )
  }

  const isAtWork = (id: string) => live.has(id) || store.processes.live().some(process => process.session === id)

  /** Deletes a session. `end` first ends its runs and its process; calls that name the session fail meanwhile. */
  async function remove(id: string, end?: () => Promise<void>) {
    deleting.add(id)
    try {
      await end?.()
      await endLeftOf(id)
      // Commits the end of the process separately. It may not be stored on a full disk, and then the deletion would
      // fail with it.
      journal.flush()
      journalNow({ session: id, deleted: true, durable: true })
      live.get(id)?.drop()
      await journal.settled()
      removeTemporaryOf(context.home, id)
      await context.onDeleted()
    } finally {
      deleting.delete(id)
    }
  }

  /** Ends the process. Ignores that its end could not be stored: on a full disk, the deletion makes room. */
  async function closeForDeletion(session: LiveSession | undefined) {
    try {
      await session?.close()
    } catch (error) {
      if (error instanceof RpcError || error instanceof SyncFailed) throw error
    }
  }

  /** Ends the left processes of a session, because nothing could find them after its deletion. */
  async function endLeftOf(id: string) {
    journal.flush()
    const { left } = store.sessions.get(id) ?? {}
    if (!left) return
    const ids = store.processes.ofSession(id).map(process => process.id)
    await context.ptyHost.endLeft(ids, left.processes)
  }

  async function cancelAll(id: string, by: Actor) {
    const runs = store.runs.unfinished().filter(({ run }) => run.session === id)
    const session = live.get(id)
    if (!session) return
    const ends = runs.map(({ run }) => waiters.wait(run.run, new AbortController().signal))
    const cancels = runs.map(({ run }) => session.cancel(run.run, by, 'kill', 'the session was ended'))
    await asStored(Promise.all(cancels))
    await Promise.all(ends)
  }

  return {
    create({ spec, pointer, begun }, by, keep) {
      refuseStopping()
      refuseSecondOwner(spec)
      const made = newSession(agentFor(spec), spec, pointer, config, begun)
      return storeNew(made, openingEvent(made, by), keep)
    },

    async update(id, changes, by) {
      refuseStopping()
      refuseUnusable(id)
      const { cwd, agent: kind } = present(stored(id))
      const agent = agentOf(context.agents, kind)
      const { permissionMode } = changes
      if (changes.approvals) checkRules(agent, changes.approvals, cwd, '/approvals')
      if (permissionMode !== undefined) checkLeave(agent, { permissionMode }, '', config)
      const updated = await asStored(load(id).update(changes, by))
      await journal.view.whenPublished(id)
      return updated
    },

    async fork(id, naming, by, keep) {
      refuseStopping()
      refuseUnusable(id)
      await journal.view.whenPublished(id)
      const source = present(stored(id))
      const { cwd, agent: kind, title, firstPrompt, labels, approvals, head, lastRun: run } = source
      if (live.get(id)?.busy) {
        throw new RpcError('conflict', `session ${id} has a run that has not ended (${run}): fork it after that`, {
          run,
        })
      }
      const agent = agentOf(context.agents, kind)
      const forkedFrom = await forkPoint(source, agent)
      // If the session went on meanwhile, the transcript contains a part of that.
      if (present(stored(id)).head !== head) throw overtaken(id)
      const made = newSession(
        agent,
        {
          cwd,
          options: withReportedMode(agent, source, config),
          title,
          labels,
          ...(approvals && { approvals }),
          ...naming,
        },
        '/session',
        config,
        { forkedFrom, ...(firstPrompt !== undefined && { firstPrompt }) },
      )
      const fork = storeNew(made, openingEvent(made, by), keep)
      await asStored(load(id).used())
      return fork
    },

    importable: (cwd, limit) =>
      listImportable(checkWorkingDirectory(cwd, config.allowRoots, '/cwd'), limit, {
        ...context,
        agent: agentFor({}),
      }),

    async checkImport({ conversationId, ...spec }, pointer) {
      if (conversationId === undefined) return {}
      return checkImport({ ...spec, conversationId }, pointer, { ...context, agent: agentFor(spec) })
    },

    async checkOwner(id) {
      refuseUnusable(id)
      const { agent: kind, process, conversationId, options } = present(stored(id))
      if (process || conversationId === null) return
      const agent = agentOf(context.agents, kind)
      const key = conversationKey(agent, options.env, conversationId)
      // Simultaneous calls share one check, and continue in the order in which they came.
      const look = looking.get(id) ?? openElsewhere({ ...context, agent }, key).finally(() => looking.delete(id))
      looking.set(id, look)
      const other = await look
      if (other) throw inUse(new ConversationInUse(conversationId, other))
    },

    get: id => shown(stored(id)),

    list({ order = 'created', ...given }) {
      const filter = { ...given, listed: journal.view.listed('sessions') }
      const found =
        order === 'used'
          ? store.sessions.listByUse(filter)
          : store.sessions.list(filter).map(session => ({ session, cursor: session.session }))
      return found.map(({ session, cursor }) => ({ session: shown(session), cursor }))
    },

    async close(id, { force, sweep }, by) {
      stored(id)
      refuseWhileBusy(live.get(id), id, force, 'close it')
      if (force) await cancelAll(id, by)
      await asStored(load(id).close({ sweep }))
      journal.flush()
      await journal.view.whenPublished(id)
      return shown(stored(id))
    },

    async delete(id, force, by) {
      stored(id)
      refuseWhileBusy(live.get(id), id, force, 'delete it')
      await remove(id, async () => {
        if (force) await cancelAll(id, by)
        await closeForDeletion(live.get(id))
      })
    },

    isAtWork,

    async deleteUnused(id) {
      if (stopping || isAtWork(id) || deleting.has(id) || !store.sessions.get(id)) return false
      await remove(id)
      return true
    },

    async startRun(session, prompt, by, keep, runLimits) {
      refuseStopping()
      refuseQueueing(prompt)
      if (typeof session === 'string') refuseUnusable(session)
      else refuseSecondOwner(session.spec)
      const made =
        typeof session === 'string'
          ? undefined
          : newSession(agentFor(session.spec), session.spec, session.pointer, config, session.begun)
      const at = made ? takeUp(made, { opening: openingEvent(made, by) }) : load(session as string)
      return asStored(at.enqueue(prompt, by, keep, runLimits))
    },

    getRun: shownRun,

    listRuns(filter) {
      const found = store.runs.list({ ...filter, listed: journal.view.listed('runs') })
      return found.map(({ run }) => withActivity(journal.view.run(run) ?? run))
    },

    countRuns: () => journal.view.countRuns(store.runs.countByState()),

    async moveRun(id, to, by) {
      const run = storedRun(id)
      refuseUnusable(run.session)
      const moved = await asStored(live.get(run.session)?.move(id, to, by))
      if (moved) return moved
      const { state } = shownRun(id)
      throw new RpcError('conflict', `run ${id} is ${state}: only a queued run can be moved`, { run: id, state })
    },

    async cancelRun(id, by, mode, reason) {
      const run = storedRun(id)
      refuseUnusable(run.session)
      const after = isEnded(run.state) ? run : await asStored(live.get(run.session)?.cancel(id, by, mode, reason))
      if (!after || isEnded(after.state)) await journal.settled()
      return after ?? storedRun(id)
    },

    async waitForRun(id, signal, timeoutMs) {
      // The end of a run may be stored and not published yet. It is published after its sync.
      const run = journal.view.run(storedRun(id))
      if (run && isEnded(run.state)) return run
      return (await waiters.wait(id, signal, timeoutMs)) ?? shownRun(id)
    },

    getApproval: id => journal.view.approval(storedApproval(id)),

    listApprovals(filter) {
      const found = store.approvals.list({ ...filter, listed: journal.view.listed('approvals') })
      return found.map(({ approval }) => journal.view.approval(approval))
    },

    async answerApproval(answer, by, keep) {
      refuseStopping()
      const { session } = storedApproval(answer.approval)
      refuseUnusable(session)
      const answered = await asStored(live.get(session)?.answer(answer, by, keep))
      if (answered) return answered
      // The first answer may not be committed yet.
      journal.flush()
      throw callError(cameTooLate(storedApproval(answer.approval)))
    },

    get processes() {
      return [...live.values()].filter(({ record }) => record.process !== null).length
    },

    takeOver() {
      const unfinished = store.runs.unfinished()
      const processes = new Map(store.processes.live().map(process => [process.session, process]))
      // Active runs take their slots before queued runs request one.
      const active = unfinished.filter(({ run }) => run.state !== 'queued')
      const ids = new Set([...active, ...unfinished].map(({ run }) => run.session))
      for (const id of processes.keys()) ids.add(id)
      const eachSession = (work: (id: string) => void) => {
        for (const id of ids) {
          try {
            work(id)
          } catch (error) {
            // The other sessions are still taken over.
            context.log.error('a session could not be taken over', { session: id, error })
          }
        }
      }
      eachSession(id => {
        const runs = unfinished.filter(({ run }) => run.session === id)
        load(id).takeOver(factsOf(store, stored(id), runs, processes.get(id)))
      })
      journal.flush()
      eachSession(id => live.get(id)?.readOn())
      journal.flush()
      endOrphans(context)
    },

    async shutdown(reason) {
      stopping = true
      await Promise.all([...live.values()].map(session => session.shutdown(reason)))
    },

    async leave() {
      stopping = true
      const left = [...live.values()]
      live.clear()
      await Promise.all(left.map(session => session.leave()))
    },
  }

  function refuseQueueing(prompt: string) {
    const runs = [...live.values()].reduce((sum, { queuedRuns }) => sum + queuedRuns, 0)
    const bytes = [...live.values()].reduce((sum, { queuedBytes }) => sum + queuedBytes, Buffer.byteLength(prompt))
    const over = (what: string, limit: 'maxQueuedRuns' | 'maxQueuedBytes') =>
      new RpcError('overloaded', `${what} are queued already, at most ${limits[limit]} may be`, {
        limit,
        value: limits[limit],
      })
    if (runs >= limits.maxQueuedRuns) throw over(`${runs} runs`, 'maxQueuedRuns')
    if (runs > 0 && bytes > limits.maxQueuedBytes)
      throw over(`with this one ${bytes} bytes of prompts`, 'maxQueuedBytes')
  }

  function refuseStopping() {
    if (stopping)
      throw new RpcError('overloaded', 'the daemon is stopping: nothing can be started', {
        limit: 'stopping',
        value: 0,
      })
  }
}

/** Turns an error that kept a call from being stored into an `RpcError`. */
function asStored<Answer>(call: Promise<Answer>): Promise<Answer>
function asStored<Answer>(call: Promise<Answer> | undefined): Promise<Answer | undefined>
async function asStored<Answer>(call: Promise<Answer> | undefined): Promise<Answer | undefined> {
  try {
    return await call
  } catch (error) {
    throw storageError(error)
  }
}

/** The first event in the log of a session that is not loaded yet. */
const firstEvent = (body: EventBody): EventRow => ({
  seq: 1,
  run: null,
  type: body.type,
  text: JSON.stringify({ seq: 1, time: Date.now(), run: null, ...body }),
  process: null,
  offset: null,
})

const overtaken = (session: string) =>
  new RpcError('conflict', `session ${session} went on while it was being forked: try again`, { session })

const notFound = (what: string, id: string) => new RpcError('not_found', `there is no ${what} ${id}`, { [what]: id })
