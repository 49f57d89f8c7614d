import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { readDaemonInfo } from '../../client/sdk/index.ts'
import { count, type World } from './world.ts'

/**
 * Opens connections of badly written programs: they subscribe to everything, never read, and vanish without closing.
 */
export async function runIdler(world: World): Promise<void> {
  const random = world.random.fork()
  while (!world.isEnding) {
    const info = await readDaemonInfo(world.home).catch(() => undefined)
    if (info) await connectAndIdle(world, info, random.whole(100, 4_000)).catch(() => {})
    await delay(random.whole(50, 500))
  }
}

async function connectAndIdle(world: World, { url, token }: { url: string; token: string }, ms: number): Promise<void> {
  const socket = new WebSocket(url, ['muxd.v1'], { headers: { authorization: `Bearer ${token}` } })
  const closed = once(socket, 'close')
  closed.catch(() => {})
  try {
    await once(socket, 'open')
    socket.on('error', () => {})
    let id = 0
    const call = (method: string, params: object) =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }))
    call('hello', { protocol: [2], client: { name: 'idler', version: '1' } })
    await once(socket, 'message')
    socket.pause()
    for (const session of world.sessions.keys()) {
      for (const topic of [`session/${session}`, `session/${session}/frames`]) {
        call('topic.subscribe', { topic, since: 'start' })
      }
    }
    count(world, 'connections that never read')
    for (const end = Date.now() + ms; Date.now() < end && !world.isEnding; ) await delay(50)
  } finally {
    socket.terminate()
    await closed.catch(() => {})
  }
}
