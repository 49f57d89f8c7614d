import { once } from 'node:events'
import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import { until } from './until.ts'

/** A TCP connection that can send what a correct client would not. It closes with the test. */
export interface RawSocket {
  /** Resolves when the system has accepted the bytes. Ignores a peer that has closed. */
  write(bytes: string | Buffer): Promise<void>
  /** The number of bytes that the system has no room for yet. */
  unsentBytes(): number
  received(): Buffer
  /** Resolves with all received bytes when the peer has closed. */
  ended: Promise<Buffer>
  pause(): void
  resume(): void
  /** Closes the connection without a closing handshake. */
  destroy(): void
}

export async function openRaw(port: number): Promise<RawSocket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // The peer may cut the connection during a write.
  socket.on('error', () => undefined)
  const ended = once(socket, 'close').then(() => Buffer.concat(chunks))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return {
    write: bytes => new Promise(resolve => void socket.write(bytes, () => resolve())),
    unsentBytes: () => socket.writableLength,
    received: () => Buffer.concat(chunks),
    ended,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  }
}

/** Opens a WebSocket, after `hello`, whose frames the test builds itself. */
export async function openRawWebSocket(port: number, token: string): Promise<RawSocket> {
  const raw = await openRaw(port)
  await raw.write(upgradeRequest(port, token))
  await raw.write(frame({ payload: hello }))
  await until(() => {
    if (!raw.received().includes('"clientId"')) throw new Error(`no hello: ${raw.received().toString()}`)
  })
  return raw
}

export const upgradeRequest = (port: number, token: string, more: string[] = []): string =>
  [
    'GET /ws HTTP/1.1',
    `Host: localhost:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: muxd.v1',
    `Authorization: Bearer ${token}`,
    ...more,
    '\r\n',
  ].join('\r\n')

const hello = JSON.stringify({
  jsonrpc: '2.0',
  id: 'hello',
  method: 'hello',
  params: { protocol: [2], client: { name: 'raw', version: '1' } },
})

/** Returns the bytes of a WebSocket frame. By default it is masked, as from a client, and a text frame. */
export function frame(options: {
  payload?: string | Buffer
  opcode?: number
  fin?: boolean
  reserved?: number
  masked?: boolean
  /** Replaces the payload's length in the header, as 64 bits. */
  length?: bigint
}): Buffer {
  const { opcode = 1, fin = true, reserved = 0, masked = true, length } = options
  const payload = Buffer.from(options.payload ?? '')
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  const mark = masked ? 0x80 : 0
  const header = Buffer.alloc(length !== undefined || payload.length > 0xffff ? 10 : payload.length > 125 ? 4 : 2)
  header[0] = first
  if (header.length === 2) header[1] = mark | payload.length
  else if (header.length === 4) {
    header[1] = mark | 126
    header.writeUInt16BE(payload.length, 2)
  } else {
    header[1] = mark | 127
    header.writeBigUInt64BE(length ?? BigInt(payload.length), 2)
  }
  // The mask is all zeros, so the payload stays unchanged.
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), payload])
}

/** Returns the code of the close frame at the end of a server's output, or undefined if there is none. */
export function closeCodeIn(received: Buffer): number | undefined {
  let at = received.indexOf('\r\n\r\n') + 4
  while (at + 2 <= received.length) {
    const short = received[at + 1]! & 0x7f
    const header = short === 126 ? 4 : short === 127 ? 10 : 2
    const length =
      short === 126 ? received.readUInt16BE(at + 2) : short === 127 ? Number(received.readBigUInt64BE(at + 2)) : short
    if ((received[at]! & 0x0f) === 8) return received.readUInt16BE(at + header)
    at += header + length
  }
  return undefined
}
