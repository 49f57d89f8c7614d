import { startDeadline } from '../os/deadline.ts'

/**
 * A run that needs another process waits for the background work in the present one, which would end with it: at most so
 * long, because some of that work never ends.
 */
export interface BackgroundWait {
  /** Whether the next run waits, where `isNeeded`; the time counts from the first call that needs it. */
  waits(isNeeded: boolean): boolean
  readonly isWaiting: boolean
  stop(): void
}

/** `onOver` is called when it has waited long enough. */
export function createBackgroundWait(waitMs: number, onOver: () => void): BackgroundWait {
  let cancel: (() => void) | undefined
  let isOver = false
  const stop = () => {
    cancel?.()
    cancel = undefined
    isOver = false
  }
  return {
    waits(isNeeded) {
      if (!isNeeded) stop()
      if (!isNeeded || isOver) return false
      cancel ??= startDeadline(Date.now() + waitMs, () => {
        isOver = true
        onOver()
      })
      return true
    },
    get isWaiting() {
      return cancel !== undefined
    },
    stop,
  }
}
