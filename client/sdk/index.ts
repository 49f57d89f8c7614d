import { setMaxListeners } from 'node:events'
import { resolve } from 'node:path'
import { Unavailable } from './errors.ts'
import { createMux, type Mux } from './mux.ts'
import { homeDirectory, readDaemonInfo } from './node/daemon-json.ts'
import { openSocket } from './node/socket.ts'
import type { ConnectOptions, Endpoint } from './platform.ts'

export * from './surface.ts'
export { homeDirectory, readDaemonInfo } from './node/daemon-json.ts'

/** Without `url` the daemon of `home` is looked up in its `daemon.json`, before each attempt anew. */
export interface NodeOptions extends ConnectOptions {
  url?: string | undefined
  token?: string | undefined
  home?: string | undefined
}

/** Connects to the local daemon, or to that at `url`. Rejects with `Unavailable` when it cannot be reached. */
export async function connect(options: NodeOptions = {}): Promise<Mux> {
  const mux = open(options)
  await mux.opened
  return mux
}

/** Like `connect`, but there at once: for a program that shows `mux.state` from the beginning. */
export function open({ url, token, home, ...options }: NodeOptions = {}): Mux {
  const locate = async () => (url === undefined ? found(homeDirectory(home)) : { url, token })
  return createMux({ locate, open: openSocket, absolute: path => resolve(path), onWake: listenedToByMany }, options)
}

/** Nothing wakes Node up. But it warns of more than ten listeners on a signal, and each subscription is one. */
const listenedToByMany = (_wake: () => void, signal: AbortSignal) => setMaxListeners(0, signal)

async function found(home: string): Promise<Endpoint> {
  const info = await readDaemonInfo(home)
  if (!info) throw new Unavailable(`no daemon runs in ${home}`)
  return info
}
