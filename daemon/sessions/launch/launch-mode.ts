import type { EventBody, Actor, Session } from '../../../protocol/index.ts'
import type { LaunchMode } from '../../agents/agent.ts'

/**
 * Returns how the next process of a session gets its conversation. `id` names a conversation that muxd begins. It must
 * be new each time: a process that ended at once may leave its id taken and its conversation incomplete.
 */
export function launchModeOf({ conversationId, forkedFrom }: Session, id: string): LaunchMode {
  if (conversationId !== null) return { resume: conversationId }
  const { conversation } = forkedFrom ?? {}
  return conversation ? { fork: id, of: conversation.conversationId, at: conversation.message } : { start: id }
}

/** The id under which the agent continues the conversation. */
export const idOf = (mode: LaunchMode): string =>
  'start' in mode ? mode.start : 'resume' in mode ? mode.resume : mode.fork

/** The first event of a session that continues another session or an imported conversation. */
export function openingEvent({ conversationId, forkedFrom }: Session, by: Actor): EventBody | undefined {
  if (forkedFrom) return { type: 'session_forked', from: { session: forkedFrom.session, seq: forkedFrom.seq }, by }
  return conversationId === null ? undefined : { type: 'session_imported', claudeSessionId: conversationId, by }
}
