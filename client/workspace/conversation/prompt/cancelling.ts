import type { CancelMode } from '../../../sdk/browser.ts'

/** How hard somebody has asked for a run's end, from this pane. */
export interface Cancelling {
  run: string
  mode: CancelMode
  /** The run behind it, which the next press would cancel. */
  warnedOf?: string
}

/**
 * The state after another press of Escape: first the end of the turn, again the end of the process; with Shift at once
 * that of everything the process started. Undefined where that was asked for already.
 *
 * A press may be meant for the run that was cancelled before. When that one has ended and the next prompt runs, the
 * first press only warns.
 */
export function nextCancel(run: string, before: Cancelling | undefined, shift: boolean): Cancelling | undefined {
  if (before && before.run !== run && before.warnedOf !== run) return { ...before, warnedOf: run }
  const asked = before?.run === run ? before.mode : undefined
  if (shift) return asked === 'kill' ? undefined : { run, mode: 'kill' }
  if (asked === undefined) return { run, mode: 'interrupt' }
  return asked === 'interrupt' ? { run, mode: 'terminate' } : undefined
}
