import { onAbort } from './abort.ts'

/**
 * Wraps a generator in an iterator that can be left at any moment. `return()` also ends a pending `next()`; a bare
 * generator would first let it finish. `start` gets a signal that aborts at `return()` and when the caller's signal
 * aborts.
 */
export function iterate<T>(
  caller: AbortSignal | undefined,
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterableIterator<T> {
  const stop = new AbortController()
  let left = false
  let detach: (() => void) | undefined
  const generator = start(stop.signal)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      detach ??= onAbort(caller, reason => stop.abort(reason))
      try {
        const step = await generator.next()
        if (step.done) detach()
        return step
      } catch (error) {
        detach()
        if (left) return { done: true, value: undefined }
        throw error
      }
    },
    async return() {
      left = true
      detach?.()
      stop.abort()
      await generator.return().catch(() => {})
      return { done: true, value: undefined }
    },
  }
}
