import type {
  Actor,
  Approval,
  ApprovalAnswer,
  CancelMode,
  Run,
  RunLimits,
  Session,
  SessionChanges,
} from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { KeepAnswer } from '../rpc/idempotency.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { callError } from './interpreter/calls.ts'
import { checkLeave, checkRules } from './launch/new-session.ts'
import { openingEvent } from './launch/launch-mode.ts'
import { asStored, type LoadedSessions } from './loaded-sessions.ts'
import { cameTooLate } from './machine/decide/call-errors.ts'
import { isEnded } from './machine/fold/run-state.ts'
import { madeOf, type NewSession, refuseSecondOwner } from './session-creation.ts'
import { type SessionReading, storedApproval, storedRun } from './session-reading.ts'

/** Passes calls about runs and approvals to the sessions that do the work. */
export interface SessionWork {
  /** Changes a session, and its process if it has one. */
  update(session: string, changes: SessionChanges, by: Actor): Promise<Session>
  /** Queues a run in a session, or in a new one. A new session and its run are stored together or not at all. */
  startRun(session: string | NewSession, prompt: string, by: Actor, keep?: KeepAnswer, limits?: RunLimits): Promise<Run>
  moveRun(run: string, to: number, by: Actor): Promise<Run>
  /** Resolves with the run after the request. If the run has ended, its end is published by then. */
  cancelRun(run: string, by: Actor, mode: CancelMode, reason: string | undefined): Promise<Run>
  /** Resolves with the ended run, or with its current state when `signal` or `timeoutMs` ends the wait. */
  waitForRun(run: string, signal: AbortSignal, timeoutMs?: number): Promise<Run>
  /** The first valid answer counts. A later one is a `conflict` that names who answered. */
  answerApproval(answer: ApprovalAnswer, by: Actor, keep?: KeepAnswer): Promise<Approval>
}

export function createWork(loaded: LoadedSessions, { getRun }: Pick<SessionReading, 'getRun'>): SessionWork {
  const { context, live, waiters } = loaded
  const { config, journal } = context

  return {
    async update(id, changes, by) {
      loaded.refuseStopping()
      loaded.refuseUnusable(id)
      const session = loaded.present(id)
      const agent = loaded.agentFor(session)
      const { permissionMode } = changes
      if (changes.approvals) checkRules(agent, changes.approvals, session.cwd, '/approvals')
      if (permissionMode !== undefined) checkLeave(agent, { permissionMode }, '', config)
      const updated = await asStored(loaded.load(id).update(changes, by))
      await journal.view.whenPublished(id)
      return updated
    },

    async startRun(session, prompt, by, keep, runLimits) {
      loaded.refuseStopping()
      refuseQueueing(loaded, prompt)
      if (typeof session === 'string') {
        loaded.refuseUnusable(session)
        return asStored(loaded.load(session).enqueue(prompt, by, keep, runLimits))
      }
      refuseSecondOwner(loaded, session.spec)
      const made = madeOf(loaded, session)
      return asStored(loaded.open(made, { opening: openingEvent(made, by) }).enqueue(prompt, by, keep, runLimits))
    },

    async moveRun(id, to, by) {
      const run = storedRun(loaded, id)
      loaded.refuseUnusable(run.session)
      const moved = await asStored(live.get(run.session)?.move(id, to, by))
      if (moved) return moved
      const { state } = getRun(id)
      throw new RpcError('conflict', `run ${id} is ${state}: only a queued run can be moved`, { run: id, state })
    },

    async cancelRun(id, by, mode, reason) {
      const run = storedRun(loaded, id)
      loaded.refuseUnusable(run.session)
      const after = isEnded(run.state) ? run : await asStored(live.get(run.session)?.cancel(id, by, mode, reason))
      if (!after || isEnded(after.state)) await journal.settled()
      return after ?? storedRun(loaded, id)
    },

    async waitForRun(id, signal, timeoutMs) {
      // The end of a run may be stored and not published yet. It is published after its sync.
      const run = journal.view.run(storedRun(loaded, id))
      if (run && isEnded(run.state)) return run
      return (await waiters.wait(id, signal, timeoutMs)) ?? getRun(id)
    },

    async answerApproval(answer, by, keep) {
      loaded.refuseStopping()
      const { session } = storedApproval(loaded, answer.approval)
      loaded.refuseUnusable(session)
      const answered = await asStored(live.get(session)?.answer(answer, by, keep))
      if (answered) return answered
      // The first answer may not be committed yet.
      journal.flush()
      throw callError(cameTooLate(storedApproval(loaded, answer.approval)))
    },
  }
}

/** Throws `overloaded` if too many runs or bytes of prompts are queued, over all sessions. */
function refuseQueueing({ live }: LoadedSessions, prompt: string): void {
  const runs = [...live.values()].reduce((sum, { queuedRuns }) => sum + queuedRuns, 0)
  const bytes = [...live.values()].reduce((sum, { queuedBytes }) => sum + queuedBytes, Buffer.byteLength(prompt))
  const over = (what: string, limit: 'maxQueuedRuns' | 'maxQueuedBytes') =>
    new RpcError('overloaded', `${what} are queued already, at most ${limits[limit]} may be`, {
      limit,
      value: limits[limit],
    })
  if (runs >= limits.maxQueuedRuns) throw over(`${runs} runs`, 'maxQueuedRuns')
  if (runs > 0 && bytes > limits.maxQueuedBytes) throw over(`with this one ${bytes} bytes of prompts`, 'maxQueuedBytes')
}
