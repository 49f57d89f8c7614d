import { holdLock } from '../store/sqlite/file-lock.ts'
import { type Home, readInfo } from './home.ts'

/** Another daemon uses this home. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
}

/**
 * Locks the home for this process, so that one daemon uses it at a time. The kernel releases the lock when the process
 * ends for any reason, so there are no stale locks. Returns the function that releases it earlier. Throws
 * `AlreadyRunning`.
 */
export function lockHome(home: Home): () => void {
  const unlock = holdLock(home.lock)
  if (unlock) return unlock
  const first = readInfo(home)
  const who = first ? `pid ${first.pid}, ${first.url}` : 'it is just starting or stopping'
  throw new AlreadyRunning(`a daemon is running in ${home.directory} already (${who}); stop it with: muxd stop`)
}
