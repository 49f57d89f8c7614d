import type { Approval, Run, Session, SessionsEvent } from '../sdk/browser.ts'

/** The page's copy of the daemon's records. Each change replaces a whole record. */
export interface RecordsState {
  sessions: Map<string, Session>
  /** Runs that have not ended, by run. */
  active: Map<string, Run>
  /** The latest ended run of each session, by session. */
  ended: Map<string, Run>
  /** Pending approvals, by approval. */
  approvals: Map<string, Approval>
}

export const emptyRecords = (): RecordsState => ({
  sessions: new Map(),
  active: new Map(),
  ended: new Map(),
  approvals: new Map(),
})

/** Applies a change. Returns false for changes that do not concern these records. */
export function applyChange(state: RecordsState, change: SessionsEvent): boolean {
  switch (change.type) {
    case 'session_created':
    case 'session_changed':
      state.sessions.set(change.session.session, change.session)
      return true
    case 'session_deleted':
      forgetSession(state, change.session)
      return true
    case 'run_changed':
      keepRun(state, change.run)
      return true
    case 'approval_changed':
      keepApproval(state, change.approval)
      return true
    default:
      return false
  }
}

export function keepRun({ active, ended }: RecordsState, run: Run): void {
  if (run.endedAt === null) active.set(run.run, run)
  else {
    active.delete(run.run)
    const latest = ended.get(run.session)
    if (!latest || latest.firstSeq <= run.firstSeq) ended.set(run.session, run)
  }
}

export function keepApproval({ approvals }: RecordsState, approval: Approval): void {
  if (approval.state === 'pending') approvals.set(approval.approval, approval)
  else approvals.delete(approval.approval)
}

function forgetSession({ sessions, active, ended, approvals }: RecordsState, session: string): void {
  sessions.delete(session)
  ended.delete(session)
  for (const [id, run] of active) if (run.session === session) active.delete(id)
  for (const [id, approval] of approvals) if (approval.session === session) approvals.delete(id)
}
