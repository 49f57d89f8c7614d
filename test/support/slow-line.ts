import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * A proxy for one connection that limits the bytes per second from the server and reads them in small pieces. Bytes to
 * the server pass at once.
 */
export interface SlowLine {
  readonly url: string
  /** The server accepts its own host and port only. */
  readonly headers: Record<string, string>
  /** Sets the rate from now on: 0 reads nothing, Infinity reads everything at once. */
  setBytesPerSecond(rate: number): void
  /** Bytes read from the server so far. */
  readBytes(): number
  close(): void
}

const readSize = 1_024

export async function openSlowLine(port: number, bytesPerSecond: number): Promise<SlowLine> {
  const [small, large] = [Buffer.alloc(readSize), Buffer.alloc(65_536)]
  let rate = bytesPerSecond
  let readBytes = 0
  // The bytes that may be read by now. They grow with the clock, so that a late timer slows nothing down.
  let allowedBytes = 0
  let allowedAt = performance.now()
  const sockets = new Set<Socket>()
  const upstreams = new Set<Socket>()

  const server = createServer(client => {
    const upstream = connect({
      host: '127.0.0.1',
      port,
      onread: {
        buffer: () => (rate === Infinity ? large : small),
        callback(bytes, buffer) {
          readBytes += bytes
          // Node chose the buffer before the read. A large read from the time of a high rate must not block later
          // reads.
          allowedBytes = Math.max(allowedBytes - bytes, -readSize)
          client.write(Buffer.from(buffer.subarray(0, bytes)))
          return allowedBytes > 0
        },
      },
    })
    client.pipe(upstream)
    upstream.on('end', () => client.end())
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    upstreams.add(upstream)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const timer = setInterval(() => {
    const now = performance.now()
    allowedBytes = Math.min(allowedBytes + (rate * (now - allowedAt)) / 1_000, Math.max(rate / 4, readSize))
    allowedAt = now
    if (allowedBytes > 0) for (const upstream of upstreams) upstream.resume()
  }, 5)
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    headers: { host: `127.0.0.1:${port}` },
    setBytesPerSecond(value) {
      rate = value
    },
    readBytes: () => readBytes,
    close() {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
