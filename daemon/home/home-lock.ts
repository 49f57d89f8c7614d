import { holdLock } from '../store/hold-lock.ts'
import { type Home, readInfo } from './home.ts'

/** Another daemon lives in this home. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
}

/**
 * Takes the home for this process, so that there is one daemon in it at a time. The kernel gives the lock back when
 * the process ends, however it ends: there is no stale lock. Returns what gives it back before. Throws
 * `AlreadyRunning`.
 */
export function lockHome(home: Home): () => void {
  const unlock = holdLock(home.lock)
  if (unlock) return unlock
  const first = readInfo(home)
  const who = first ? `pid ${first.pid}, ${first.url}` : 'it is just starting or stopping'
  throw new AlreadyRunning(`a daemon is running in ${home.directory} already (${who}); stop it with: muxd stop`)
}
