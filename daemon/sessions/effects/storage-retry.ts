import type { Failure } from '../../../protocol/index.ts'
import type { AgentCodec } from '../../agents/agent.ts'
import { storageFailure } from '../own-failures.ts'

/**
 * What a session does when an entry cannot be stored: it gives up its runs at once, and tries each second whether it can
 * be stored again. If the end of the runs cannot be stored either, that is tried again too.
 */
export interface StorageRetry {
  /** Returns the failure of the runs that are to be given up now. */
  failed(error: unknown): Failure | undefined
  readonly isFailing: boolean
  stop(): void
}

export interface StorageRetryOptions {
  agent: AgentCodec
  /** Called when the end of the runs could not be stored either, and is tried again. */
  giveUp(failure: Failure): void
  /** Returns whether all can be stored again, and everything that was printed has been read. */
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
      // A second failure within the time comes from giving up: at once it would fail again.
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
