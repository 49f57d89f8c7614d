import type { AddressInfo, ListenOptions, Server } from 'node:net'
import { fitsSocket } from './socket-places.ts'

/** Somebody else listens there already. */
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

/** Listens and answers the port. Throws `AddressInUse`. */
export async function listenTcp(server: Server, host: string, port: number): Promise<number> {
  try {
    await listen(server, { host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new AddressInUse(host, port, { cause: error })
  }
  return (server.address() as AddressInfo).port
}

/** Listens on a Unix socket that only its owner may open. A stale file must be gone; a directory of mode 0700 is the caller's. */
export async function listenUnix(server: Server, path: string): Promise<void> {
  // A longer name would be cut without a word.
  if (!fitsSocket(path)) throw new Error(`the path of the socket ${path} is longer than an address of a socket may be`)
  // The file is made, synchronously, with the mode that the mask leaves: there is no moment in which it is open to all.
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
