import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type DaemonStatus, type Mux, Unavailable } from '../../sdk/index.ts'
import { type CommonOptions, withMux } from './with-mux.ts'

/**
 * Stops the daemon and waits until its process has ended (for a daemon at `url`, until the connection closes). Resolves
 * with the daemon's last status, or with undefined if no daemon runs. Awaits `before` while the daemon still runs.
 */
export async function endDaemon(
  options: CommonOptions,
  how: { keepSessions: boolean; restart: boolean },
  before: (mux: Mux, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
): Promise<DaemonStatus | undefined> {
  let last: DaemonStatus
  try {
    last = await withMux(options, { mayStart: false, endsIt: true }, async (mux, signal) => {
      await before(mux, signal)
      const now = await mux.api.daemon.status({}, { signal })
      const gone = new Promise<void>(resolve => mux.onState(state => state !== 'open' && resolve()))
      await mux.api.daemon.stop(how, { signal })
      await gone
      mux.close()
      return now
    })
  } catch (error) {
    // The home's daemon could not be reached at all: none runs.
    if (!(error instanceof Unavailable) || error.code !== undefined || options.url !== undefined) throw error
    return undefined
  }
  const deadline = Date.now() + patienceMs
  while (options.url === undefined && isRunning(last.pid)) {
    if (Date.now() > deadline) throw new Error(`the daemon (pid ${last.pid}) was told to stop, but is still there`)
    await delay(50)
  }
  return last
}

const patienceMs = 30_000

/** Whether the process runs. A zombie does not count: in a container its parent may never collect it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return process.platform !== 'linux'
  }
}
