import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { ClientCommand } from './broadcast.ts'
import type { Way } from './broadcast-server.ts'

/**
 * Bytes that arrived at each subscriber since the last drain. Counted below WebSocket, in the same way for each sender.
 */
const arrived: Record<Way, { bytes: number }[]> = { raw: [], muxd: [], naive: [] }

async function openSocket(way: Way, port: number): Promise<Socket> {
  if (way === 'raw') {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['muxd.v1'], {
    headers: { authorization: 'Bearer bench' },
    perMessageDeflate: false,
  })
  await once(ws, 'open')
  if (way === 'muxd') {
    const call = async (id: number, method: string, params: object) => {
      const answered = once(ws, 'message')
      ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      await answered
    }
    await call(1, 'hello', { protocol: [2], client: { name: 'bench', version: '1' } })
    await call(2, 'topic.subscribe', { topic: 'session/s_1' })
  }
  return (ws as unknown as { _socket: Socket })._socket
}

async function perform(command: ClientCommand): Promise<void> {
  if (command.do === 'connect') {
    for (let count = 0; count < command.subscribers; count++) {
      const socket = await openSocket(command.way, command.port)
      const counter = { bytes: 0 }
      // From here on, count bytes instead of parsing them: the cost of the clients is not part of the measurement.
      socket.removeAllListeners('data')
      socket.on('data', (chunk: Buffer) => {
        counter.bytes += chunk.length
      })
      arrived[command.way].push(counter)
    }
    return
  }
  const deadline = Date.now() + 60_000
  while (arrived[command.way].some(counter => counter.bytes < command.bytes)) {
    if (Date.now() > deadline) throw new Error(`${command.way}: not all has arrived`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  for (const counter of arrived[command.way]) {
    if (counter.bytes !== command.bytes) throw new Error(`${command.way}: ${counter.bytes} bytes of ${command.bytes}`)
    counter.bytes = 0
  }
}

process.on('message', (command: ClientCommand) => {
  void perform(command).then(() => process.send!({}))
})
