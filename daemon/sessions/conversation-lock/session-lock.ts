import type { Agent, OpenConversation } from '../../agents/agent.ts'
import { markOf } from '../../pty-host/process-mark.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { type Claim, type DamagedClaim, isDamaged } from './lock-file.ts'
import type { ConversationKey } from './locks.ts'
import type { SessionContext } from '../session-context.ts'

type OwnershipContext = Pick<SessionContext, 'claims' | 'store' | 'log'> & { agent: Agent }

/** A live process that has a conversation open and is not of this home; `home` where another muxd holds it. */
export interface OpenElsewhere {
  pid: number
  home?: string
}

/** The file of a claim that cannot be read: a process unknown may have the conversation open. */
export interface OpenMaybe {
  claim: string
  why: string
}

/** Two Claude Code processes must not go on with one conversation: the turns of one of them would be lost. */
export class ConversationInUse extends Error {
  override readonly name = 'ConversationInUse'
  readonly by: OpenElsewhere | OpenMaybe
  constructor(claudeSessionId: string, by: OpenElsewhere | OpenMaybe) {
    super(`conversation ${claudeSessionId} ${'claim' in by ? describeMaybe(by) : `is open in ${describe(by)}`}`)
    this.by = by
  }
}

/** The answer to a call that another owner stands in the way of. */
export function inUse(error: ConversationInUse): RpcError {
  const { by, message } = error
  if ('claim' in by) return new RpcError('conflict', message, { claim: by.claim }, { cause: error })
  return new RpcError('conflict', `${message}: end it there first`, { ...by }, { cause: error })
}

const describeMaybe = ({ claim, why }: OpenMaybe) =>
  `may be open in another process: its claim ${claim} cannot be read (${why}). ` +
  'If no other process has the conversation open, remove that file'

const describe = ({ pid, home }: OpenElsewhere) =>
  home === undefined ? `process ${pid}, which is not muxd's` : `the muxd of ${home} (process ${pid})`

/** A conversation, and the place where a session's agent keeps it. */
export const conversationKey = (
  { conversations }: Agent,
  env: Record<string, string> | undefined,
  conversationId: string,
): ConversationKey => ({ config: conversations.directory(env), claudeSessionId: conversationId })

/** Who else has a conversation open, as far as that can be known for certain: docs/claude-cli.md. */
export async function openElsewhere(
  { agent, claims, store }: OwnershipContext,
  key: ConversationKey,
  listing: Promise<OpenConversation[]> = agent.conversations.listOpen(key.config),
): Promise<OpenElsewhere | OpenMaybe | undefined> {
  const [claim, listed] = await Promise.all([claims.ofOthers(key), listing])
  if (claim) return owner(claim)
  const other = listed.find(({ pid, conversationId }) => conversationId === key.claudeSessionId && !isOwn(pid, store))
  return other && { pid: other.pid }
}

const owner = (claim: Claim | DamagedClaim): OpenElsewhere | OpenMaybe =>
  isDamaged(claim) ? { claim: claim.file, why: claim.why } : { pid: claim.holder.pid, home: claim.home }

/** One of this home's is about to go, or to be swept: the next process of its session begins after that. */
function isOwn(pid: number, store: OwnershipContext['store']): boolean {
  const mark = markOf(pid)
  return mark !== undefined && store.processes.get(mark) !== undefined
}

/** What a session's process holds, one conversation at a time. */
export interface Ownership {
  /** Before a process is started: throws `ConversationInUse`. */
  take(key: ConversationKey, process: string): Promise<void>
  /** The process is there, or goes on with another conversation (`/clear`): what it had before is given up. */
  hold(key: ConversationKey, process: string, pid: number): void
  /** It has ended. What another process of the session holds stays; null releases that too. */
  release(process: string | null): void
  /** Resolves when what was asked for is done. */
  settled(): Promise<void>
}

export function createOwnership(context: OwnershipContext, session: string): Ownership {
  const { claims, log } = context
  let held: { key: ConversationKey; process: string } | undefined
  // One after the other: what is given up must not be taken by what was asked for before.
  let last = Promise.resolve()

  const release = (process: string | null) => {
    if (held && process !== null && held.process !== process) return
    const given = held
    held = undefined
    if (given) last = last.then(() => claims.release(given.key, given.process)).catch(failed)
  }
  // Without claims a session works as well; only the owner's lock is missing.
  const failed = (error: unknown) => log.warn('the claim of a conversation could not be written', { session, error })

  return {
    async take(key, process) {
      const other = await openElsewhere(context, key)
      if (other) throw new ConversationInUse(key.claudeSessionId, other)
      await last
      const claim = await claims.take(key, { session, process }).catch(failed)
      if (claim) throw new ConversationInUse(key.claudeSessionId, owner(claim))
      held = { key, process }
    },
    hold(key, process, pid) {
      if (held && held.key.claudeSessionId !== key.claudeSessionId) release(null)
      held = { key, process }
      last = last
        .then(() => claims.take(key, { session, process }, pid))
        .then(claim => {
          if (claim)
            log.warn('a conversation is open in two homes', { session, conversation: key.claudeSessionId, claim })
        })
        .catch(failed)
    },
    release,
    settled: () => last,
  }
}
