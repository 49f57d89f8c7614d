import type { Actor, CancelEnd, CancelMode, CancelStep } from '../../protocol/index.ts'
import type { ActiveRun, ReachedLimit } from './active-run.ts'
import type { RunInput } from './run-state.ts'

/**
 * What is known of the end that was asked of a run before it came: who asked, how hard, and how hard it was pursued. The
 * same when it happens and when the log is gone through again.
 */

/** Somebody asks, first or again: the first one stays the one who did, and the strongest mode counts. */
export function askForEnd(run: ActiveRun, request: { by: Actor; reason?: string | undefined; mode: CancelMode }): void {
  const { by, reason, mode } = request
  run.cancel = run.cancel ? { ...run.cancel, mode } : { by, ...(reason !== undefined && { reason }), mode }
  pursue(run, mode)
}

/** It came to a limit of its own, before anybody else asked. */
export function exceed(run: ActiveRun, limit: ReachedLimit): void {
  run.exceeded = limit
  pursue(run, 'interrupt')
}

/** This is done, or about to be, to end it. */
export function pursue(run: ActiveRun, step: CancelStep): void {
  if (isHarder(step, run.pursued)) run.pursued = step
}

export const isHarder = (step: CancelStep, than: CancelStep | undefined): boolean =>
  than === undefined || cancelSteps.indexOf(step) > cancelSteps.indexOf(than)

const cancelSteps: readonly CancelStep[] = ['interrupt', 'sigint', 'terminate', 'kill']

/** What the end of a cancelled run was the end of. A process that has been signalled ends, whatever it still prints. */
export function endOf(run: ActiveRun, input: RunInput, isUnsent: boolean): CancelEnd {
  if (input === 'cancel_requested' || isUnsent) return 'nothing'
  if (input === 'process_ended') return 'process'
  return run.pursued === undefined || run.pursued === 'interrupt' ? 'turn' : 'process'
}
