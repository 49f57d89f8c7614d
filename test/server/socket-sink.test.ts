import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { WebSocket } from 'ws'
import { socketSink } from '../../daemon/server/socket-sink.ts'

test('several chunks reach the socket in one writev call', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  const calls: string[] = []
  for (const name of ['_write', '_writev'] as const) {
    const write = (socket[name] as (...parameters: unknown[]) => void).bind(socket)
    socket[name] = (...parameters: unknown[]) => {
      calls.push(name)
      write(...parameters)
    }
  }
  const sink = socketSink({ ws: { readyState: 1, OPEN: 1 } as WebSocket, socket, onFault: () => undefined })
  await new Promise<void>(resolve =>
    sink.write(
      ['a', 'b', 'c'].map(text => Buffer.from(text)),
      resolve,
    ),
  )
  expect(calls).toEqual(['_writev'])
  expect(String((await once(client, 'data'))[0])).toBe('abc')
})
