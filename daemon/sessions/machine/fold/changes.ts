import type { SessionChanges, StoredChanges } from '../../../../protocol/index.ts'
import type { SessionRecord } from './state.ts'

/** Returns the record with a client's changes. Does not concern a live process. */
export function changed<Changed extends SessionRecord>(record: Changed, changes: SessionChanges): Changed {
  const { title, labels, model, permissionMode, approvals, conversationId } = changes
  // The mode that was reported before the change is out of date.
  const { permissionMode: reportedMode, ...before } = record
  const { expiresAfterMs } = record.approvals ?? {}
  const isOtherMode = permissionMode !== undefined && permissionMode !== reportedMode
  return {
    ...(isOtherMode ? (before as Changed) : record),
    ...(title !== undefined && { title }),
    ...(labels && { labels }),
    options: {
      ...record.options,
      ...(model !== undefined && { model }),
      ...(permissionMode !== undefined && { permissionMode }),
    },
    // Keeps `expiresAfterMs`: a question's deadline is in its event, and must be the same when that is derived again.
    ...(approvals && { approvals: { ...approvals, ...(expiresAfterMs !== undefined && { expiresAfterMs }) } }),
    ...(conversationId === null && begunAnew(record)),
  }
}

/** Returns the changes with the names that their event has. */
export function changesInEvent({ conversationId, ...changes }: SessionChanges): StoredChanges {
  return conversationId === null ? { ...changes, claudeSessionId: null } : changes
}

/** Makes the next process begin a new conversation. `forkedFrom` still names the origin of the session. */
function begunAnew({ forkedFrom }: SessionRecord): Partial<SessionRecord> {
  if (!forkedFrom) return { conversationId: null }
  const { session, seq } = forkedFrom
  return { conversationId: null, forkedFrom: { session, seq } }
}

/** Whether a live process has to agree to the changes. */
export const concernsProcess = ({ model, permissionMode, approvals }: SessionChanges): boolean =>
  model !== undefined || permissionMode !== undefined || approvals !== undefined
