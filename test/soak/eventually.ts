import { setTimeout as delay } from 'node:timers/promises'

/**
 * Polls until `check` returns true. Rejects after the deadline with `what`, and the last error of `check` as its cause.
 */
export async function eventually(
  what: string,
  deadlineMs: number,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    let why: unknown
    try {
      if (await check()) return
    } catch (error) {
      why = error
    }
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: why })
    await delay(25)
  }
}
