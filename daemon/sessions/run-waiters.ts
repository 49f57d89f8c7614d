import type { Run } from '../../protocol/index.ts'
import { startDelay } from '../os/deadline.ts'
import { isEnded } from './machine/fold/run-state.ts'

/** The calls that wait for runs to end. A run has ended for them once its end is published. */
export interface RunWaiters {
  /** Resolves with the ended run, or with undefined when `signal` or the time ends the wait. */
  wait(run: string, signal: AbortSignal, timeoutMs?: number): Promise<Run | undefined>
  /** Called for every published change of a run. */
  published(run: Run): void
}

export function createRunWaiters(): RunWaiters {
  const waiters = new Map<string, Set<(run: Run | undefined) => void>>()

  return {
    wait(run, signal, timeoutMs) {
      return new Promise(resolve => {
        if (signal.aborted) return resolve(undefined)
        const ofRun = waiters.get(run) ?? new Set()
        waiters.set(run, ofRun)
        const settle = (ended: Run | undefined) => {
          cancel?.()
          signal.removeEventListener('abort', giveUp)
          ofRun.delete(settle)
          if (ofRun.size === 0) waiters.delete(run)
          resolve(ended)
        }
        const giveUp = () => settle(undefined)
        signal.addEventListener('abort', giveUp)
        // Not `AbortSignal.timeout`: a signal of `AbortSignal.any` does not keep it from being garbage-collected, and
        // then it never fires.
        const cancel = timeoutMs === undefined ? undefined : startDelay(timeoutMs, giveUp)
        ofRun.add(settle)
      })
    },
    published(run) {
      if (!isEnded(run.state)) return
      for (const settle of [...(waiters.get(run.run) ?? [])]) settle(run)
    },
  }
}
