import type { Actor, EventBody, Importable, Session, SessionNaming, SessionSpec } from '../../protocol/index.ts'
import type { KeepAnswer } from '../rpc/idempotency.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import type { EventRow } from '../store/store.ts'
import {
  ConversationInUse,
  conversationKey,
  inUse,
  type OpenElsewhere,
  openElsewhere,
  type OpenMaybe,
} from './conversation-lock/session-lock.ts'
import { forkPoint } from './launch/fork.ts'
import { checkImport } from './launch/import.ts'
import { listImportable } from './launch/importable.ts'
import { openingEvent } from './launch/launch-mode.ts'
import { newSession } from './launch/new-session.ts'
import { withReportedMode } from './launch/permission-mode.ts'
import { checkWorkingDirectory } from './launch/working-directory.ts'
import { asStored, type LoadedSessions } from './loaded-sessions.ts'

export interface NewSession {
  spec: SessionSpec
  /** JSON pointer of the spec in the caller's params, for messages. */
  pointer: string
  /** What `checkImport` has found out about the imported conversation. */
  begun?: Pick<Session, 'firstPrompt'>
}

/** Creates sessions: new ones, forks, and those that import a conversation. */
export interface SessionCreation {
  create(session: NewSession, by: Actor, keep?: KeepAnswer): Session
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
}

export function createCreation(loaded: LoadedSessions): SessionCreation {
  const { context, live } = loaded
  const { config, journal } = context
  const looking = new Map<string, Promise<OpenElsewhere | OpenMaybe | undefined>>()

  /** Stores a new session that has nothing to do yet. `opening` is the first event of its log. */
  function storeNew(made: Session, opening: EventBody | undefined, keep: KeepAnswer | undefined): Session {
    const session = opening ? { ...made, head: 1 } : made
    const answer = keep && { answers: [keep(session)] }
    const events = opening ? [firstEvent(opening)] : []
    loaded.commit({
      session: session.session,
      events,
      sessionRecord: session,
      created: true,
      ...answer,
      durable: false,
    })
    return session
  }

  return {
    create(session, by, keep) {
      loaded.refuseStopping()
      refuseSecondOwner(loaded, session.spec)
      const made = madeOf(loaded, session)
      return storeNew(made, openingEvent(made, by), keep)
    },

    async fork(id, naming, by, keep) {
      loaded.refuseStopping()
      loaded.refuseUnusable(id)
      await journal.view.whenPublished(id)
      const source = loaded.present(id)
      const { cwd, title, firstPrompt, labels, approvals, head, lastRun: run } = source
      if (live.get(id)?.busy) {
        throw new RpcError('conflict', `session ${id} has a run that has not ended (${run}): fork it after that`, {
          run,
        })
      }
      const agent = loaded.agentFor(source)
      const forkedFrom = await forkPoint(source, agent)
      // If the session went on meanwhile, the transcript contains a part of that.
      if (loaded.present(id).head !== head) throw overtaken(id)
      const options = withReportedMode(agent, source, config)
      const spec = { cwd, options, title, labels, ...(approvals && { approvals }), ...naming }
      const begun = { forkedFrom, ...(firstPrompt !== undefined && { firstPrompt }) }
      const made = newSession(agent, spec, '/session', config, begun)
      const fork = storeNew(made, openingEvent(made, by), keep)
      await asStored(loaded.load(id).used())
      return fork
    },

    importable: (cwd, limit) =>
      listImportable(checkWorkingDirectory(cwd, config.allowRoots, '/cwd'), limit, {
        ...context,
        agent: loaded.agentFor({}),
      }),

    async checkImport({ conversationId, ...spec }, pointer) {
      if (conversationId === undefined) return {}
      return checkImport({ ...spec, conversationId }, pointer, { ...context, agent: loaded.agentFor(spec) })
    },

    async checkOwner(id) {
      loaded.refuseUnusable(id)
      const session = loaded.present(id)
      const { process, conversationId, options } = session
      if (process || conversationId === null) return
      const agent = loaded.agentFor(session)
      const key = conversationKey(agent, options.env, conversationId)
      // Simultaneous calls share one check, and continue in the order in which they came.
      const look = looking.get(id) ?? openElsewhere({ ...context, agent }, key).finally(() => looking.delete(id))
      looking.set(id, look)
      const other = await look
      if (other) throw inUse(new ConversationInUse(conversationId, other))
    },
  }
}

/** The record of a session that a caller describes. */
export const madeOf = (loaded: LoadedSessions, { spec, pointer, begun }: NewSession): Session =>
  newSession(loaded.agentFor(spec), spec, pointer, loaded.context.config, begun)

/** Throws `conflict` if another session has the conversation. */
export function refuseSecondOwner({ context, live }: LoadedSessions, { conversationId }: SessionSpec): void {
  if (conversationId === undefined) return
  const atWork = [...live.values()].map(({ record }) => record)
  const owner =
    atWork.find(record => record.conversationId === conversationId) ??
    context.store.sessions.ofConversation(conversationId)
  if (!owner) return
  const { session } = owner
  throw new RpcError('conflict', `session ${session} has the conversation ${conversationId} already`, { session })
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
