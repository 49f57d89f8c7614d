import { setMaxListeners } from 'node:events'
import { connect, homeDirectory, type Mux, Unavailable } from '../../sdk/index.ts'
import { sdkVersion } from '../../sdk/version.ts'
import { holdsSessions, startInBackground } from '../daemon/background.ts'
import { clientName } from './client-name.ts'
import { Usage } from '../errors/exit.ts'
import { say } from '../screen/output.ts'

/** Options that every command takes. */
export interface CommonOptions {
  home?: string
  url?: string
  token?: string
  /** False with `--no-start`. */
  start: boolean
  json?: true
  /** The name of this program that other clients see. */
  as?: string
}

/** The time to wait for a lost daemon: longer than a restart takes, shorter than a person would wait. */
const recoveryMs = 20_000

/**
 * Connects, does `work` and closes the connection. If no daemon runs, starts one if `mayStart` is true and the options
 * allow it. `answers`: this program can ask a person, so questions wait for it. If a lost connection does not come back
 * in time, `signal` aborts with `Unavailable`, unless the work ends the daemon (`endsIt`).
 */
export async function withMux<T>(
  options: CommonOptions,
  { mayStart, endsIt = false, answers = false }: { mayStart: boolean; endsIt?: boolean; answers?: boolean },
  work: (mux: Mux, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (options.url !== undefined && !/^wss?:\/\//.test(options.url)) {
    throw new Usage(`--url ${options.url}: expected ws://HOST:PORT/ws`)
  }
  const controller = new AbortController()
  // A list makes one call for each of its rows at once, and each listens to the signal.
  setMaxListeners(0, controller.signal)
  const maySpawn = mayStart && options.start && options.url === undefined
  const mux = await connected(options, maySpawn, answers, controller.signal)
  let timer: NodeJS.Timeout | undefined
  mux.onState((state, why) => {
    if (endsIt) return
    clearTimeout(timer)
    if (state === 'open') say('muxd: connected again')
    if (state !== 'recovering') return
    say(`muxd: ${why?.message ?? 'the connection was lost'}; trying again`)
    timer = setTimeout(() => controller.abort(new Unavailable('the daemon did not come back')), recoveryMs)
  })
  try {
    return await work(mux, controller.signal)
  } finally {
    clearTimeout(timer)
    mux.close()
  }
}

/** Says that no daemon answers, even if a dead one left its `daemon.json`. */
async function absence(home: string): Promise<string> {
  const none = `no daemon runs in ${home}`
  return (await holdsSessions(home)) ? `${none}, but its sessions go on: muxd ls starts one that takes them over` : none
}

async function connected(
  options: CommonOptions,
  mayStart: boolean,
  answers: boolean,
  signal: AbortSignal,
): Promise<Mux> {
  const { home, url, token } = options
  const client = { name: clientName(options.as), version: sdkVersion }
  const attempt = () => connect({ home, url, token, signal, client, answers })
  try {
    return await attempt()
  } catch (error) {
    // A daemon that refuses the connection exists. If a daemon does not answer, the lock of the next one decides
    // whether it still lives; a process id in a file proves little.
    const isThere = !(error instanceof Unavailable) || error.code === 4501 || error.code === 4503
    if (isThere || url !== undefined) throw error
    if (!mayStart) throw new Unavailable(await absence(homeDirectory(home)), { cause: error })
    say('muxd: no daemon runs, starting one')
    await startInBackground(homeDirectory(home))
    return await attempt()
  }
}
