import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { createRandom } from './random.ts'

/**
 * What happens to a connection after a given number of bytes from the daemon:
 * - `finished`: ends both sides cleanly, between two chunks
 * - `reset`: sends RST to both sides
 * - `torn`: ends both sides in the middle of a chunk, and so of a frame
 * - `half-open`: passes nothing any more, without notice to either side
 * - `deaf`: accepts the connection and never sends anything
 * - `late`, `trickle`: delays every chunk, or sends it in small pieces; resets at the end
 * - `doubled`: gives the daemon a second connection that sends the same bytes; resets both at the end
 */
export const fates = ['finished', 'reset', 'torn', 'half-open', 'deaf', 'late', 'trickle', 'doubled'] as const
export type Fate = (typeof fates)[number]

/** A proxy between clients and a daemon. It passes everything on unchanged until `rage` is called. */
export interface ChaosProxy {
  port: number
  url: string
  /** The daemon configuration that the proxy needs, because clients send the proxy's host and origin. */
  config: { allowedHosts: string[]; allowedOrigins: string[] }
  /** Sets the daemon's port for new connections. */
  aim(daemonPort: number): void
  /** Gives each new connection a fate, drawn from the seed, after at most `maxBytes` bytes. */
  rage(seed: number, options?: { maxBytes?: number; of?: readonly [Fate, ...Fate[]] }): void
  /** Leaves new connections alone. */
  calm(): void
  /** Drops everything that the daemon sends from now on over the open connections. */
  mute(): void
  /** Resets all open connections. */
  reset(): void
  /** The number of connections that met each fate. */
  met: Map<Fate, number>
}

export async function startChaosProxy(): Promise<ChaosProxy> {
  let daemonPort = 0
  let draw = (): { fate: Fate; afterBytes: number } | undefined => undefined
  const links = new Set<Link>()
  const met: ChaosProxy['met'] = new Map()

  const server = createServer({ noDelay: true }, client => {
    const doom = draw()
    const link = createLink(client, daemonPort, doom, fate => met.set(fate, (met.get(fate) ?? 0) + 1))
    links.add(link)
    // A silent link stays until the end: the daemon's side must not notice that the client has gone.
    client.once('close', () => link.isSilent() || links.delete(link))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const reset = () => {
    for (const link of links) link.reset()
    links.clear()
  }
  onTestFinished(async () => {
    reset()
    server.close()
    await once(server, 'close')
  })
  return {
    port,
    url: `ws://127.0.0.1:${port}/ws`,
    config: { allowedHosts: [`127.0.0.1:${port}`], allowedOrigins: [`http://127.0.0.1:${port}`] },
    aim(to) {
      daemonPort = to
    },
    rage(seed, { maxBytes = 200_000, of = fates } = {}) {
      const random = createRandom(seed)
      draw = () => ({ fate: random.pick(of), afterBytes: random.next() ** 2 * maxBytes })
    },
    calm() {
      draw = () => undefined
    },
    mute() {
      for (const link of links) link.mute()
    },
    reset,
    met,
  }
}

interface Link {
  reset(): void
  mute(): void
  isSilent(): boolean
}

function createLink(
  client: Socket,
  port: number,
  doom: { fate: Fate; afterBytes: number } | undefined,
  onMet: (fate: Fate) => void,
): Link {
  const fate = doom?.fate
  let left = doom?.afterBytes ?? Infinity
  let silent = false
  let muted = false
  let over = false
  const sockets = [client]
  const link: Link = {
    reset: () => sockets.forEach(socket => socket.resetAndDestroy()),
    mute() {
      muted = true
    },
    isSilent: () => silent,
  }
  const silence = () => {
    silent = true
  }
  const meet = (act: () => void) => {
    if (over) return
    over = true
    onMet(fate!)
    act()
  }

  /** Passes on everything that one side sends, until it ends. */
  async function carry(from: Socket, pass: (chunk: Buffer) => Promise<void>, atEnd: () => void): Promise<void> {
    try {
      for await (const chunk of from) if (!silent) await pass(chunk as Buffer)
    } catch {
      // A reset counts as the end for the other side.
    }
    if (!silent) atEnd()
  }

  async function fromDaemon(chunk: Buffer): Promise<void> {
    if (muted) return
    left -= chunk.length
    if (fate === 'torn' && left <= 0) {
      await write(client, chunk.subarray(0, chunk.length >> 1))
      return meet(() => sockets.forEach(socket => socket.end()))
    }
    if (fate === 'late') await delay(chunk.length % 40)
    for (const piece of fate === 'trickle' ? pieces(chunk) : [chunk]) {
      await write(client, piece)
      if (fate === 'trickle') await delay(1)
    }
    if (left > 0) return
    if (fate === 'half-open') meet(silence)
    else if (fate === 'finished') meet(() => sockets.forEach(socket => socket.end()))
    else meet(link.reset)
  }

  client.on('error', () => {})
  if (fate === 'deaf') {
    meet(silence)
    client.resume()
    return link
  }
  const daemons = [connect(port, '127.0.0.1')]
  if (fate === 'doubled') daemons.push(connect(port, '127.0.0.1').resume())
  sockets.push(...daemons)
  for (const daemon of daemons) daemon.setNoDelay(true).on('error', () => {})
  const end = () => sockets.forEach(socket => socket.end())
  void carry(client, async chunk => void (await Promise.all(daemons.map(daemon => write(daemon, chunk)))), end)
  void carry(daemons[0]!, fromDaemon, end)
  return link
}

const pieces = (chunk: Buffer) => {
  const size = Math.ceil(chunk.length / 16)
  return Array.from({ length: Math.ceil(chunk.length / size) }, (_, index) =>
    chunk.subarray(index * size, (index + 1) * size),
  )
}

const write = (to: Socket, bytes: Buffer) =>
  new Promise<void>(resolve => {
    if (to.writable) to.write(bytes, () => resolve())
    else resolve()
  })
