import { createMux, type Mux } from './mux.ts'
import type { ConnectOptions, Endpoint, Platform } from './platform.ts'

export * from './surface.ts'

export type BrowserOptions = ConnectOptions & Endpoint

/**
 * Connects to the daemon at `url` (`ws://127.0.0.1:7433/ws`). Rejects with `Unavailable` if the daemon cannot be
 * reached, and with `RpcError` if it refuses `hello`.
 */
export async function connect(options: BrowserOptions): Promise<Mux> {
  const mux = open(options)
  await mux.opened
  return mux
}

/** Like `connect`, but returns at once, for a page that shows `mux.state` from the beginning. */
export const open = ({ url, token, ...options }: BrowserOptions): Mux => createMux(platform({ url, token }), options)

const platform = (endpoint: Endpoint): Platform => ({
  locate: async () => endpoint,
  open: (url, protocols) => new WebSocket(url, protocols),
  absolute: path => path,
  // Browsers do not tell a page why its WebSocket was refused, so this asks over HTTP. After too many wrong tokens the
  // daemon refuses all attempts for a while.
  refuses: ({ url, token }) =>
    fetch(url.replace(/^ws/, 'http'), {
      headers: { authorization: `Bearer ${token}` },
      // A peer that accepts connections and does not answer would delay every further attempt.
      signal: AbortSignal.timeout(10_000),
    }).then(
      ({ status }) => status === 401,
      () => false,
    ),
  onWake(retry, signal) {
    // A worker has no document.
    globalThis.addEventListener?.('online', retry, { signal })
    globalThis.document?.addEventListener('visibilitychange', retry, { signal })
  },
})
