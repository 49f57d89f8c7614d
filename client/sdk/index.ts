import { setMaxListeners } from 'node:events'
import { resolve } from 'node:path'
import { Unavailable } from './errors.ts'
import { createMux, type Mux } from './mux.ts'
import { homeDirectory, readDaemonInfo } from './node/daemon-json.ts'
import { withProtocol1 } from './node/protocol-1.ts'
import { openSocket } from './node/socket.ts'
import type { ConnectOptions, Endpoint } from './platform.ts'

export * from './surface.ts'
export { homeDirectory, readDaemonInfo } from './node/daemon-json.ts'

/**
 * Without `url`, the SDK reads `url` and `token` from the `daemon.json` of `home`, again before each attempt to
 * connect. `home` defaults to `homeDirectory()`.
 */
export interface NodeOptions extends ConnectOptions {
  url?: string | undefined
  token?: string | undefined
  home?: string | undefined
}

/**
 * Connects to the local daemon, or to the daemon at `url`. Rejects with `Unavailable` if the daemon cannot be reached,
 * and with `RpcError` if it refuses `hello`.
 */
export async function connect(options: NodeOptions = {}): Promise<Mux> {
  const mux = open(options)
  await mux.opened
  return mux
}

/** Like `connect`, but returns at once, for a program that shows `mux.state` from the beginning. */
export function open({ url, token, home, ...options }: NodeOptions = {}): Mux {
  const locate = async () => (url === undefined ? found(homeDirectory(home)) : { url, token })
  return createMux(
    { locate, open: openSocket, absolute: path => resolve(path), withProtocol1, onWake: listenedToByMany },
    options,
  )
}

/**
 * Node has no wake-up events, so `wake` is unused. This lifts Node's warning above ten listeners on a signal, because
 * each subscription adds one.
 */
const listenedToByMany = (_wake: () => void, signal: AbortSignal) => setMaxListeners(0, signal)

async function found(home: string): Promise<Endpoint> {
  const info = await readDaemonInfo(home)
  if (!info) throw new Unavailable(`no daemon runs in ${home}`)
  return info
}
