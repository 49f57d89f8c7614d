import type { Actor, CancelEnd, CancelMode, CancelStep, EventOf } from '../../../../protocol/index.ts'
import type { RunInput } from './run-state.ts'

/** The request of a client or a limit to end a run, and how far muxd has escalated. */
export interface EndRequest {
  /** The client that asked first, and the strongest mode that any client asked for. */
  cancel?: { by: Actor; reason?: string; mode: CancelMode }
  /** The limit that the run hit before any client asked for its end. Then the run is `failed`, not `cancelled`. */
  exceeded?: ReachedLimit
  /** The hardest step that was taken, or is about to be. */
  pursued?: CancelStep
}

export type ReachedLimit = Pick<EventOf<'limit_reached'>, 'limit' | 'value'>

export function requestEnd(
  run: EndRequest,
  request: { by: Actor; reason?: string | undefined; mode: CancelMode },
): void {
  const { by, reason, mode } = request
  run.cancel = run.cancel ? { ...run.cancel, mode } : { by, ...(reason !== undefined && { reason }), mode }
  escalateTo(run, mode)
}

export function limitReached(run: EndRequest, limit: ReachedLimit): void {
  run.exceeded = limit
  escalateTo(run, 'interrupt')
}

export function escalateTo(run: EndRequest, step: CancelStep): void {
  if (isHarder(step, run.pursued)) run.pursued = step
}

export const isHarder = (step: CancelStep, than: CancelStep | undefined): boolean =>
  than === undefined || cancelSteps.indexOf(step) > cancelSteps.indexOf(than)

/** Returns the step after `step`. The last step is repeated. */
export const stepAfter = (step: CancelStep): CancelStep =>
  cancelSteps[Math.min(cancelSteps.indexOf(step) + 1, cancelSteps.length - 1)]!

const cancelSteps: readonly CancelStep[] = ['interrupt', 'sigint', 'terminate', 'kill']

/** Returns the `ended` of a `cancelled` event. A signalled process counts as ended, whatever it still prints. */
export function endOf(run: EndRequest, input: RunInput, isUnsent: boolean): CancelEnd {
  if (input === 'cancel_requested' || isUnsent) return 'nothing'
  if (input === 'process_ended') return 'process'
  return run.pursued === undefined || run.pursued === 'interrupt' ? 'turn' : 'process'
}
