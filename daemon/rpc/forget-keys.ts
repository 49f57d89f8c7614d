import type { Log } from '../log/log.ts'
import type { RequestTable } from '../store/store.ts'

/** How long a key is remembered, and how often it is looked for those that are older. */
const keyLife = { lifeMs: 24 * 60 * 60_000, everyMs: 60 * 60_000 }

/** Forgets keys that are older than their life, now and from time to time. Returns what ends it. */
export function startForgettingKeys(
  requests: Pick<RequestTable, 'forgetBefore'>,
  log: Pick<Log, 'warn'>,
  { lifeMs, everyMs }: typeof keyLife = keyLife,
): () => void {
  const forget = () => {
    try {
      requests.forgetBefore(Date.now() - lifeMs)
    } catch (error) {
      // Whatever is in the way (a full disk): they are looked for again.
      log.warn('old keys could not be forgotten', { error })
    }
  }
  forget()
  const timer = setInterval(forget, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
