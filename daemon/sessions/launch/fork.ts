import type { ForkedFrom, Session } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { conversationKey } from '../conversation-lock/session-lock.ts'

/**
 * Returns the point at which a fork of an idle session branches off. It names the newest message, so that it stays the
 * same if the source continues before the fork's first process starts. Throws `RpcError` if nothing has been said yet,
 * or if the transcript does not exist.
 */
export async function forkPoint(source: Session, agent: Agent): Promise<ForkedFrom> {
  const { session, head: seq, conversationId, cwd, options, forkedFrom } = source
  if (conversationId === null) {
    // The source is itself a fork that has had no run: both branch off at the same point.
    if (forkedFrom?.conversation) return { session, seq, conversation: forkedFrom.conversation }
    throw nothingSaid(session, 'a new session is the same')
  }
  const { config } = conversationKey(agent, options.env, conversationId)
  const found = await agent.conversations.find(config, conversationId, cwd)
  if ('lookedAt' in found) {
    throw new RpcError('not_found', `session ${session} cannot be forked: ${found.lookedAt} does not exist`, {
      session,
      path: found.lookedAt,
    })
  }
  const { message } = await agent.conversations.readEnd(found.path)
  if (message === undefined) throw nothingSaid(session, `nor anything written to ${found.path}`)
  return { session, seq, conversation: { conversationId, message } }
}

const nothingSaid = (session: string, hint: string) =>
  new RpcError('conflict', `session ${session} cannot be forked: nothing has been said in it yet (${hint})`, {
    session,
  })
