import type { CancelMode } from '../../../browser.ts'

/** How hard somebody has asked for a run's end, from this pane. */
export interface Cancelling {
  run: string
  mode: CancelMode
}

/**
 * What Escape asks for: first the end of the turn, again the end of the process; with Shift at once that of everything
 * the process started. Undefined where that was asked for already.
 */
export function nextCancel(run: string, before: Cancelling | undefined, shift: boolean): CancelMode | undefined {
  const asked = before?.run === run ? before.mode : undefined
  if (shift) return asked === 'kill' ? undefined : 'kill'
  if (asked === undefined) return 'interrupt'
  return asked === 'interrupt' ? 'terminate' : undefined
}
