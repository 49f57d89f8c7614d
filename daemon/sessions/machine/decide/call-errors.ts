import type { Approval } from '../../../../protocol/index.ts'
import type { CallError } from '../effect.ts'
import { isWorking, type SessionState } from '../fold/state.ts'

/** The errors with which a session refuses calls. */

export const stopping: CallError = {
  kind: 'overloaded',
  message: 'the daemon is stopping: nothing can be started',
  details: { limit: 'stopping', value: 0 },
}

export function unusable({ session: { session, unusable: why } }: SessionState): CallError | undefined {
  if (!why) return undefined
  const message = `session ${session} is unusable after an error inside muxd (${why.reason}): it can be read, closed and deleted`
  return { kind: 'unusable', message, details: { session, ...why } }
}

/** The approval was resolved before this answer. */
export function cameTooLate({ approval, decision, by }: Approval): CallError {
  const who = by === undefined ? '' : ` by ${'policy' in by ? by.policy : by.name}`
  const what = { allow: 'allowed', deny: 'denied', expired: 'expired', withdrawn: 'withdrawn' }[decision ?? 'withdrawn']
  const message = `approval ${approval} was ${what}${who} before this answer came`
  return { kind: 'conflict', message, details: { approval, decision, ...(by && { by }) } }
}

/** Returns an error if runs or background work prevent a change for which the process must end. */
export function workGoesOn(s: SessionState, why: string): CallError | undefined {
  const { session, lastRun: run } = s.session
  if (isWorking(s) || s.queue.length > 0) {
    const message = `session ${session} has a run that has not ended (${run}): ${why}`
    return { kind: 'conflict', message, details: { run } }
  }
  const backgroundTasks = s.process?.tasks.length ?? 0
  if (backgroundTasks === 0) return undefined
  const message = `session ${session} has background work (${backgroundTasks}) that has not ended: ${why}`
  return { kind: 'conflict', message, details: { backgroundTasks } }
}

export const unanswered = (timeoutMs: number): CallError => ({
  kind: 'overloaded',
  message: `the agent did not answer within ${timeoutMs / 1_000} s`,
  details: { limit: 'updateTimeoutMs', value: timeoutMs },
})

export const refused = (field: 'model' | 'permissionMode' | 'approvals', value: unknown, said: string): CallError => ({
  kind: 'invalid_params',
  message: `${field}: the agent refuses ${JSON.stringify(value)}: ${said}`,
  details: { path: `/${field}`, expected: said },
})
