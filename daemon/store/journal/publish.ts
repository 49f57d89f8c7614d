import type { Approval, Run, Session } from '../../../protocol/index.ts'
import type { EventRow } from '../store.ts'
import type { JournalEntry } from './entry.ts'

/** Receives what becomes visible: `topics/` serves it. */
export interface Publisher {
  sessionEvents(session: string, events: readonly EventRow[]): void
  record(record: RecordBody): void
}
export type RecordBody =
  | { type: 'session_created' | 'session_changed'; session: Session }
  | { type: 'session_deleted'; session: string }
  | { type: 'run_changed'; run: Run }
  | { type: 'approval_changed'; approval: Approval }

/** A new session is announced before its events, a change after the events that made it. */
export function publish(entry: JournalEntry, publisher: Publisher, onError: (error: unknown) => void): void {
  const { session, sessionRecord, events } = entry
  const record = (body: Parameters<Publisher['record']>[0]) => attempt(() => publisher.record(body), onError)

  if (sessionRecord !== undefined && entry.created === true) record({ type: 'session_created', session: sessionRecord })
  if (events.length > 0) attempt(() => publisher.sessionEvents(session, events), onError)
  if (sessionRecord !== undefined && entry.created !== true) record({ type: 'session_changed', session: sessionRecord })
  for (const { run } of entry.runs ?? []) record({ type: 'run_changed', run })
  for (const { approval } of entry.approvals ?? []) record({ type: 'approval_changed', approval })
  if (entry.deleted === true) record({ type: 'session_deleted', session })
  attempt(() => entry.onPublished?.(), onError)
}

/** An error of one subscriber must not keep the others from being notified. */
export function attempt(call: () => void, onError: (error: unknown) => void): void {
  try {
    call()
  } catch (error) {
    onError(error)
  }
}
