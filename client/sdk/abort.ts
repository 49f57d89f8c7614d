/** Settles like `promise`, or rejects with the signal's reason if the signal aborts first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const detach = onAbort(signal, reject)
    promise.then(resolve, reject).finally(detach)
  })
}

/**
 * Calls `handler` with the signal's reason when it aborts, at once if it is already aborted. Returns the detach
 * function.
 */
export function onAbort(signal: AbortSignal | undefined, handler: (reason: unknown) => void): () => void {
  const listener = () => handler(signal!.reason)
  if (signal?.aborted) listener()
  else signal?.addEventListener('abort', listener)
  return () => signal?.removeEventListener('abort', listener)
}
