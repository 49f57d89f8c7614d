import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { createRandom } from './random.ts'

/**
 * What becomes of a connection once so many bytes have come from the daemon:
 * - `finished`: a clean end of both sides, between two chunks
 * - `reset`: RST to both
 * - `torn`: an end in the middle of a chunk, and so of a frame
 * - `half-open`: nothing passes any more and nobody is told
 * - `deaf`: from the beginning: it is taken and nothing is ever said
 * - `late`, `trickle`: everything comes late, or in small pieces; then it is reset
 * - `doubled`: the daemon gets a second connection that says the same; then both are reset
 */
export const fates = ['finished', 'reset', 'torn', 'half-open', 'deaf', 'late', 'trickle', 'doubled'] as const
export type Fate = (typeof fates)[number]

/** Stands between clients and a daemon. Until `rage` it passes everything on as it is. */
export interface ChaosProxy {
  port: number
  url: string
  /** What the daemon's configuration has to allow: clients name the proxy, not it. */
  config: { allowedHosts: string[]; allowedOrigins: string[] }
  /** Where connections go from now on. */
  aim(daemonPort: number): void
  /** Connections from now on get a fate each, drawn by the seed, after up to so many bytes. */
  rage(seed: number, options?: { maxBytes?: number; of?: readonly [Fate, ...Fate[]] }): void
  /** Connections from now on are left alone. */
  calm(): void
  /** What the daemon says from now on over the connections that stand gets lost. */
  mute(): void
  /** Resets all that stand. */
  reset(): void
  /** How many connections met their fate. */
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
    // One that is half-open is kept until the end: its other side must not find out.
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

  /** Passes on what one side says until it ends. */
  async function carry(from: Socket, pass: (chunk: Buffer) => Promise<void>, atEnd: () => void): Promise<void> {
    try {
      for await (const chunk of from) if (!silent) await pass(chunk as Buffer)
    } catch {
      // Reset: for the other side as good as ended.
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
