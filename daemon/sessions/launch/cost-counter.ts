import type { Session } from '../../../protocol/index.ts'
import type { Agent, LaunchMode } from '../../agents/agent.ts'
import type { ConversationKey } from '../conversation-lock/locks.ts'

/**
 * Returns the agent's cost counter (USD) at the start of a process. It is zero for a new conversation and for a fork. A
 * resumed conversation continues with the counter that the agent has stored with it, or with zero if there is none. The
 * counter is lower than the session's cost after a kill, and higher if another program has continued the conversation.
 */
export async function counterBefore(
  { conversations }: Agent,
  beginning: LaunchMode,
  { config }: ConversationKey,
  { cwd }: Pick<Session, 'cwd'>,
): Promise<number> {
  if (!('resume' in beginning)) return 0
  const found = await conversations.find(config, beginning.resume, cwd)
  const end = 'path' in found ? await conversations.readEnd(found.path).catch(() => undefined) : undefined
  return end?.counterUsd ?? 0
}
