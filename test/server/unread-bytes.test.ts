import { once } from 'node:events'
import { connect, createServer, type ListenOptions, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createUnreadBytes } from '../../daemon/server/unread-bytes.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const addresses = new Set(Object.values(networkInterfaces()).flatMap(each => each!.map(({ address }) => address)))
const hosts = ['127.0.0.1', '::1'].filter(host => addresses.has(host))

/** Opens both ends of a connection whose client does not read. */
async function openPair(where: ListenOptions): Promise<{ client: Socket; socket: Socket }> {
  const server = createServer().listen(where)
  await once(server, 'listening')
  const address = server.address()
  const client = connect(typeof address === 'string' ? { path: address } : { port: address!.port, host: where.host! })
  const [socket] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  return { client, socket }
}

test.runIf(process.platform === 'linux').each(hosts)(
  'over loopback (%s), unreadBytes counts exactly the bytes the peer has not read',
  async host => {
    const { client, socket } = await openPair({ host, port: 0 })
    const unreadBytes = createUnreadBytes()
    expect(await unreadBytes(socket)).toBe(0)
    socket.write(Buffer.alloc(100_000))
    // Node reads some bytes in advance.
    await until(() => expect(client.bytesRead).toBeGreaterThan(0))
    await until(async () => expect(await unreadBytes(socket)).toBe(100_000 - client.bytesRead))
    expect(await unreadBytes(socket)).toBeGreaterThan(0)
    client.resume()
    await until(async () => expect(await unreadBytes(socket)).toBe(0))
  },
)

test('unreadBytes is undefined for a Unix socket', async () => {
  const { socket } = await openPair({ path: join(tempDir(), 'socket') })
  expect(await createUnreadBytes()(socket)).toBeUndefined()
})
