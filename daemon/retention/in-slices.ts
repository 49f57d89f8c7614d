import { setTimeout as delay } from 'node:timers/promises'

const sliceMs = 2

/**
 * Calls `step`, a millisecond or so of work that cannot be interrupted, until it answers false or `signal` is aborted.
 * After every two milliseconds the event loop is left to the others for as long again.
 */
export async function inSlices(step: () => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now()
    while (performance.now() - begun < sliceMs) if (!step()) return
    await delay(performance.now() - begun)
  }
}
