import { afterEach } from 'vitest'
import { type ConnectionState, connect, type Mux } from '../../client/sdk/index.ts'
import type { NodeOptions } from '../../client/sdk/index.ts'
import { type Peer, startPeer } from './peer.ts'

/** Short waits, so that a test of many reconnects takes no time. */
export const fast = { retryMinMs: 1, retryMaxMs: 20, attemptMs: 2_000, silenceMs: 45_000 }

const open: { close(): unknown }[] = []

/** Closes what the test has opened. */
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

export async function peerForTest(port?: number): Promise<Peer> {
  const peer = await startPeer(port)
  open.push(peer)
  return peer
}

export async function connectForTest(options: NodeOptions): Promise<Mux> {
  const mux = await connect({ timing: fast, ...options })
  open.push(mux)
  return mux
}

export function closeAfterTest<T extends { close(): unknown }>(each: T): T {
  open.push(each)
  return each
}

/** Resolves when the connection reaches the state. Call it before the step that leads there. */
export const reached = (mux: Mux, state: ConnectionState): Promise<void> =>
  new Promise(resolve => mux.onState(now => now === state && resolve()))

/** Takes `count` items, in order. */
export async function take<T>(
  items: AsyncIterable<T> & { next(): Promise<IteratorResult<T>> },
  count: number,
): Promise<T[]> {
  const taken: T[] = []
  while (taken.length < count) {
    const step = await items.next()
    if (step.done) break
    taken.push(step.value)
  }
  return taken
}

export const seqs = (items: readonly object[]) => items.map(item => ('seq' in item ? item.seq : item))
