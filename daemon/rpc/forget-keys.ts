import type { Log } from '../log/log.ts'
import type { RequestTable } from '../store/store.ts'

/** How long a key is kept, and how often older keys are removed. */
const keyLife = { lifeMs: 24 * 60 * 60_000, everyMs: 60 * 60_000 }

/** Removes keys that are older than `lifeMs`, now and every `everyMs`. Returns the function that stops it. */
export function startForgettingKeys(
  requests: Pick<RequestTable, 'forgetBefore'>,
  log: Pick<Log, 'warn'>,
  { lifeMs, everyMs }: typeof keyLife = keyLife,
): () => void {
  const forget = () => {
    try {
      requests.forgetBefore(Date.now() - lifeMs)
    } catch (error) {
      // Whatever the reason (a full disk), the next attempt finds them again.
      log.warn('old keys could not be forgotten', { error })
    }
  }
  forget()
  const timer = setInterval(forget, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
