import type { ForkedFrom, Session } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { conversationKey } from '../conversation-lock/session-lock.ts'

/**
 * Where a fork of a session that is at rest branches off. Named by its newest message, so that it stays what it is now,
 * however much is said in the source before the fork's first process takes it over. Throws `RpcError` where nothing has
 * been said yet.
 */
export async function forkPoint(source: Session, agent: Agent): Promise<ForkedFrom> {
  const { session, head: seq, conversationId, cwd, options, forkedFrom } = source
  if (conversationId === null) {
    // It is a fork itself that has had no run: both are of the same conversation.
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
