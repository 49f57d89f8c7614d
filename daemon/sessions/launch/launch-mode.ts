import type { EventBody, Actor, Session } from '../../../protocol/index.ts'
import type { LaunchMode } from '../../agents/agent.ts'

/**
 * How the next process of a session comes by its conversation. `id` is for one that begins under an id of ours: a new one
 * each time, for what a process has left that ended in its first moments is neither whole nor free.
 */
export function beginningOf({ conversationId, forkedFrom }: Session, id: string): LaunchMode {
  if (conversationId !== null) return { resume: conversationId }
  const { conversation } = forkedFrom ?? {}
  return conversation ? { fork: id, of: conversation.conversationId, at: conversation.message } : { start: id }
}

/** The id under which the agent writes that conversation on. */
export const idOf = (beginning: LaunchMode): string =>
  'start' in beginning ? beginning.start : 'resume' in beginning ? beginning.resume : beginning.fork

/** What the log of a new session begins with, when there is something before it. */
export function openingEvent({ conversationId, forkedFrom }: Session, by: Actor): EventBody | undefined {
  if (forkedFrom) return { type: 'session_forked', from: { session: forkedFrom.session, seq: forkedFrom.seq }, by }
  return conversationId === null ? undefined : { type: 'session_imported', claudeSessionId: conversationId, by }
}
