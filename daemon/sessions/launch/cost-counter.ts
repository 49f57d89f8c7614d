import type { Session } from '../../../protocol/index.ts'
import type { Agent, LaunchMode } from '../../agents/agent.ts'
import type { ConversationKey } from '../conversation-lock/locks.ts'

/**
 * Returns where the agent's cost counter in USD stands when the process begins: at zero for a new conversation and for a
 * fork. A resumed conversation goes on from the counter that the agent has kept with it. That is less than the session's
 * cost after a kill, and more when another program continued the conversation. Without a counter, each process counts from
 * zero.
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
