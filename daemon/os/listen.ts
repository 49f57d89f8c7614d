import type { AddressInfo, ListenOptions, Server } from 'node:net'
import { fitsSocket } from './socket-places.ts'

/** Another process already listens on the address. */
export class AddressInUse extends Error {
  override readonly name = 'AddressInUse'
  readonly host: string
  readonly port: number
  constructor(host: string, port: number, options?: ErrorOptions) {
    super(`port ${port} of ${host} is in use: choose another with --port, or 0 for a free one`, options)
    this.host = host
    this.port = port
  }
}

/** Starts to listen and resolves with the port. Rejects with `AddressInUse`. */
export async function listenTcp(server: Server, host: string, port: number): Promise<number> {
  try {
    await listen(server, { host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new AddressInUse(host, port, { cause: error })
  }
  return (server.address() as AddressInfo).port
}

/**
 * Starts to listen on a Unix socket that only its owner may open. The caller removes a stale file first, and provides
 * the directory with mode 0700.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  // The system would truncate a longer path silently.
  if (!fitsSocket(path)) throw new Error(`the path of the socket ${path} is longer than an address of a socket may be`)
  // The umask gives the file mode 0600. `listen` creates the file synchronously, so it is never open to other users.
  const mask = process.umask(0o177)
  try {
    const listening = listen(server, { path })
    process.umask(mask)
    await listening
  } finally {
    process.umask(mask)
  }
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
