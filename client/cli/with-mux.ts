import { setMaxListeners } from 'node:events'
import { connect, homeDirectory, type Mux, Unavailable } from '../sdk/index.ts'
import { sdkVersion } from '../sdk/version.ts'
import { holdsSessions, startInBackground } from './background.ts'
import { clientName } from './client-name.ts'
import { Usage } from './exit.ts'
import { say } from './output.ts'

/** Options that every command takes. */
export interface CommonOptions {
  home?: string
  url?: string
  token?: string
  /** False with `--no-start`. */
  start: boolean
  json?: true
  /** What this program calls itself. */
  as?: string
}

/** Longer than a restart, shorter than anyone's patience. */
const recoveryMs = 20_000

/**
 * Connects, does `work` and lets go. Where no daemon runs one is started, unless the command has no use for a fresh one or
 * was told not to. `answers`: a person can be asked here, so that questions wait for it. Unless the work is to end the daemon, a connection that is lost and does not come back ends the work with `Unavailable`.
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
  // A list asks for each of its rows at once.
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

/** In words, that no daemon answers, whatever a dead one's `daemon.json` says. */
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
    // One that refuses is there. Whether one that does not answer still lives is for the next one's lock to say: a process
    // id in a file says little.
    const isThere = !(error instanceof Unavailable) || error.code === 4501 || error.code === 4503
    if (isThere || url !== undefined) throw error
    if (!mayStart) throw new Unavailable(await absence(homeDirectory(home)), { cause: error })
    say('muxd: no daemon runs, starting one')
    await startInBackground(homeDirectory(home))
    return await attempt()
  }
}
