import type { Failure } from '../../../protocol/index.ts'
import type { AgentCodec } from '../../agents/agent.ts'
import { storageFailure } from './own-failures.ts'

/**
 * Handles an entry that cannot be stored. The session gives up its runs at once, and checks every second whether it can
 * be stored again. If the end of the runs cannot be stored either, that is retried too.
 */
export interface StorageRetry {
  /** Returns the failure of the runs that are to be given up now. */
  failed(error: unknown): Failure | undefined
  readonly isFailing: boolean
  stop(): void
}

export interface StorageRetryOptions {
  agent: AgentCodec
  /** Called to retry giving up the runs, after their end could not be stored either. */
  giveUp(failure: Failure): void
  /** Returns whether everything can be stored again, and everything printed has been read. */
  works(): boolean
  /** Called when `works` has returned true. */
  over(): void
}

const retryMs = 1_000

export function createStorageRetry({ agent, giveUp, works, over }: StorageRetryOptions): StorageRetry {
  let timer: NodeJS.Timeout | undefined
  let owed: Failure | undefined

  function tryLater() {
    timer ??= setTimeout(() => {
      timer = undefined
      tryAgain()
    }, retryMs).unref()
  }

  function tryAgain() {
    const failure = owed
    owed = undefined
    if (failure) {
      giveUp(failure)
      return tryLater()
    }
    if (!works()) return tryLater()
    if (!timer) over()
  }

  return {
    failed(error) {
      const failure = storageFailure(agent, error)
      // A second failure before the timer fires comes from giving up. An attempt at once would fail again.
      const isFirst = timer === undefined
      if (!isFirst) owed = failure
      tryLater()
      return isFirst ? failure : undefined
    },
    get isFailing() {
      return timer !== undefined
    },
    stop: () => clearTimeout(timer),
  }
}
