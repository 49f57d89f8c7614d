import type { Approval, Run, Session } from '../../protocol/index.ts'
import type { SessionFilter } from '../store/store.ts'
import { withoutEnded } from './left-processes.ts'
import { type LoadedSessions, notFound } from './loaded-sessions.ts'
import { isEnded } from './machine/fold/run-state.ts'

/** Reads sessions, runs and approvals as readers may see them: what waits for a sync is not shown yet. */
export interface SessionReading {
  get(session: string): Session
  /** `cursor` requests the page behind its session, in the same order. */
  list(filter: SessionFilter & { order?: 'created' | 'used' }): { session: Session; cursor: string }[]
  /** Whether the session is in memory or has a live process. Retention leaves such a session alone. */
  isAtWork(session: string): boolean
  getRun(run: string): Run
  listRuns(filter: { session?: string; state?: string; limit: number; after?: string }): Run[]
  /** The number of runs in each state. */
  countRuns(): Record<string, number>
  getApproval(approval: string): Approval
  listApprovals(filter: { session?: string; state: Approval['state']; limit: number; after?: string }): Approval[]
}

export function createReading(loaded: LoadedSessions): SessionReading {
  const { context, live } = loaded
  const { store, journal } = context
  const { view } = journal

  const shown = (session: Session): Session => withoutEnded(view.session(session))

  /** Adds the last activity to a run that has not ended. */
  function withActivity(run: Run): Run {
    const activity = isEnded(run.state) ? undefined : live.get(run.session)?.activityOf(run.run)
    return activity ? { ...run, activity } : run
  }

  return {
    get: id => shown(loaded.stored(id)),
    list({ order = 'created', ...given }) {
      const filter = { ...given, listed: view.listed('sessions') }
      const found =
        order === 'used'
          ? store.sessions.listByUse(filter)
          : store.sessions.list(filter).map(session => ({ session, cursor: session.session }))
      return found.map(({ session, cursor }) => ({ session: shown(session), cursor }))
    },
    isAtWork: id => live.has(id) || store.processes.live().some(process => process.session === id),

    getRun(id) {
      const run = view.run(storedRun(loaded, id))
      if (!run) throw notFound('run', id)
      return withActivity(run)
    },
    listRuns(filter) {
      const found = store.runs.list({ ...filter, listed: view.listed('runs') })
      return found.map(({ run }) => withActivity(view.run(run) ?? run))
    },
    countRuns: () => view.countRuns(store.runs.countByState()),

    getApproval: id => view.approval(storedApproval(loaded, id)),
    listApprovals(filter) {
      const found = store.approvals.list({ ...filter, listed: view.listed('approvals') })
      return found.map(({ approval }) => view.approval(approval))
    },
  }
}

/** Throws `not_found`. */
export function storedRun({ context }: LoadedSessions, id: string): Run {
  const run = context.store.runs.get(id)
  if (!run) throw notFound('run', id)
  return run.run
}

/** Throws `not_found`. */
export function storedApproval({ context }: LoadedSessions, id: string): Approval {
  const approval = context.store.approvals.get(id)
  if (!approval) throw notFound('approval', id)
  return approval.approval
}
