import type { Agent, OpenConversation } from '../../agents/agent.ts'
import { markOf } from '../../pty-host/process-mark.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { type Lock, type DamagedLock, isDamaged } from './lock-file.ts'
import type { ConversationKey } from './locks.ts'
import type { SessionContext } from '../session-context.ts'

type LockContext = Pick<SessionContext, 'conversationLocks' | 'store' | 'log'> & { agent: Agent }

/** A live process of another owner that has a conversation open; `home` if a muxd holds it. */
export interface OpenElsewhere {
  pid: number
  home?: string
}

/** The file of a lock that cannot be read: an unknown process may have the conversation open. */
export interface OpenMaybe {
  claim: string
  why: string
}

/** Two processes must not continue one conversation: the turns of one of them would be lost. */
export class ConversationInUse extends Error {
  override readonly name = 'ConversationInUse'
  readonly by: OpenElsewhere | OpenMaybe
  constructor(claudeSessionId: string, by: OpenElsewhere | OpenMaybe) {
    super(`conversation ${claudeSessionId} ${'claim' in by ? describeMaybe(by) : `is open in ${describe(by)}`}`)
    this.by = by
  }
}

/** The answer to a call that fails because another owner has the conversation. */
export function inUse(error: ConversationInUse): RpcError {
  const { by, message } = error
  if ('claim' in by) return new RpcError('conflict', message, { claim: by.claim }, { cause: error })
  return new RpcError('conflict', `${message}: end it there first`, { ...by }, { cause: error })
}

const describeMaybe = ({ claim, why }: OpenMaybe) =>
  `may be open in another process: its lock ${claim} cannot be read (${why}). ` +
  'If no other process has the conversation open, remove that file'

const describe = ({ pid, home }: OpenElsewhere) =>
  home === undefined ? `process ${pid}, which is not muxd's` : `the muxd of ${home} (process ${pid})`

/** Returns the key of a conversation: its id, and the directory in which the session's agent keeps it. */
export const conversationKey = (
  { conversations }: Agent,
  env: Record<string, string> | undefined,
  conversationId: string,
): ConversationKey => ({ config: conversations.directory(env), claudeSessionId: conversationId })

/** Returns another owner that has a conversation open, as far as that is certain (docs/claude-cli.md). */
export async function openElsewhere(
  { agent, conversationLocks, store }: LockContext,
  key: ConversationKey,
  listing: Promise<OpenConversation[]> = agent.conversations.listOpen(key.config),
): Promise<OpenElsewhere | OpenMaybe | undefined> {
  const [lock, listed] = await Promise.all([conversationLocks.ofOthers(key), listing])
  if (lock) return owner(lock)
  const other = listed.find(({ pid, conversationId }) => conversationId === key.claudeSessionId && !isOwn(pid, store))
  return other && { pid: other.pid }
}

const owner = (lock: Lock | DamagedLock): OpenElsewhere | OpenMaybe =>
  isDamaged(lock) ? { claim: lock.file, why: lock.why } : { pid: lock.holder.pid, home: lock.home }

/**
 * Whether a process belongs to this home. Such a process does not count as another owner: it is about to end or to be
 * swept, and the next process of its session starts after that.
 */
function isOwn(pid: number, store: LockContext['store']): boolean {
  const mark = markOf(pid)
  return mark !== undefined && store.processes.get(mark) !== undefined
}

/** The lock of a session's process: one conversation at a time. */
export interface SessionLock {
  /** Called before a process is started. Rejects with `ConversationInUse`. */
  take(key: ConversationKey, process: string): Promise<void>
  /**
   * Called when the process has started or has changed its conversation (`/clear`). Releases the previous conversation.
   */
  hold(key: ConversationKey, process: string, pid: number): void
  /** Releases the conversation if this process holds it; null: whichever process of the session holds it. */
  release(process: string | null): void
  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void>
}

export function createSessionLock(context: LockContext, session: string): SessionLock {
  const { conversationLocks, log } = context
  let held: { key: ConversationKey; process: string } | undefined
  // In order: an earlier request must not take what is released now.
  let last = Promise.resolve()

  const release = (process: string | null) => {
    if (held && process !== null && held.process !== process) return
    const given = held
    held = undefined
    if (given) last = last.then(() => conversationLocks.release(given.key, given.process)).catch(failed)
  }
  // A session also works without its lock.
  const failed = (error: unknown) => log.warn('the lock of a conversation could not be written', { session, error })

  return {
    async take(key, process) {
      const other = await openElsewhere(context, key)
      if (other) throw new ConversationInUse(key.claudeSessionId, other)
      await last
      const lock = await conversationLocks.take(key, { session, process }).catch(failed)
      if (lock) throw new ConversationInUse(key.claudeSessionId, owner(lock))
      held = { key, process }
    },
    hold(key, process, pid) {
      if (held && held.key.claudeSessionId !== key.claudeSessionId) release(null)
      held = { key, process }
      last = last
        .then(() => conversationLocks.take(key, { session, process }, pid))
        .then(lock => {
          if (lock)
            log.warn('a conversation is open in two homes', { session, conversation: key.claudeSessionId, lock })
        })
        .catch(failed)
    },
    release,
    settled: () => last,
  }
}
