import { useState } from 'preact/hooks'
import type { CancelMode, Mux, Run } from '../../../sdk/browser.ts'

/** The strongest cancel that this pane has requested for a run. */
export interface Cancelling {
  run: string
  mode: CancelMode
  /** The next run, which another press would cancel; the user has been warned. */
  warnedOf?: string
}

/**
 * Returns the state after another press of Escape. The first press interrupts the turn, the second one ends the
 * process; Shift+Escape kills the process and everything it started. Undefined if the press requests nothing new.
 *
 * After a cancel, the next press may still be meant for the cancelled run. If that run has ended and the next prompt
 * runs, the first press only warns.
 */
export function nextCancel(run: string, before: Cancelling | undefined, shift: boolean): Cancelling | undefined {
  if (before && before.run !== run && before.warnedOf !== run) return { ...before, warnedOf: run }
  const asked = before?.run === run ? before.mode : undefined
  if (shift) return asked === 'kill' ? undefined : { run, mode: 'kill' }
  if (asked === undefined) return { run, mode: 'interrupt' }
  return asked === 'interrupt' ? { run, mode: 'terminate' } : undefined
}

/** The cancels that the user requests in this pane. */
export interface Cancels {
  /** The strongest one so far. */
  cancelling: Cancelling | undefined
  /** Takes the next step for the current run. `hard` kills the process and everything it started. */
  cancel(hard: boolean): void
  /** To call when the user does something else, so that the next press of Escape is meant for the current run. */
  forget(): void
}

/** Without a run to cancel, `cancel` does nothing. */
export function useCancels(mux: Mux, running: Run | undefined, onProblem: (error: unknown) => void): Cancels {
  const [cancelling, setCancelling] = useState<Cancelling>()
  return {
    cancelling,
    cancel(hard) {
      const next = running && nextCancel(running.run, cancelling, hard)
      if (!next) return
      setCancelling(next)
      if (next.run === running.run) mux.attach(next.run).cancel(undefined, { mode: next.mode }).catch(onProblem)
    },
    forget() {
      if (cancelling && cancelling.run !== running?.run) setCancelling(undefined)
    },
  }
}
