import { setTimeout as delay } from 'node:timers/promises'

const sliceMs = 2

/**
 * Calls `step` until it returns false or `signal` is aborted. A step is a millisecond or so of work that cannot be
 * interrupted. After every two milliseconds, other work gets the event loop for as long again.
 */
export async function inSlices(step: () => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now()
    while (performance.now() - begun < sliceMs) if (!step()) return
    await delay(performance.now() - begun)
  }
}
