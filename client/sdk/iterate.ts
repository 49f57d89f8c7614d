import { onAbort } from './abort.ts'

/**
 * A generator as an iterator that can be left at any moment: `return()` also ends a `next()` that is still waiting,
 * which a bare generator would first let finish. `start` gets the signal that ends it, with the caller's folded in.
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
