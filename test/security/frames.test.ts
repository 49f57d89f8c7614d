import { describe, expect, it } from 'vitest'
import { greet, startTestServer, tokens } from '../server/harness.ts'
import { closeCodeIn, frame, openRawWebSocket, type RawSocket } from '../support/raw-socket.ts'
import { until } from '../support/until.ts'

const ping = JSON.stringify({ jsonrpc: '2.0', id: 'ping', method: 'ping' })
const megabyte = 1024 * 1024

/** Sends on a raw WebSocket and returns the code that closed it. Checks that no other connection is affected. */
async function closeCodeOf(send: (raw: RawSocket) => Promise<unknown>, limits = {}): Promise<number | undefined> {
  const server = await startTestServer({ limits: { closeTimeoutMs: 200, ...limits } })
  const other = await greet(server.url)
  const raw = await openRawWebSocket(server.port, tokens.control)
  await send(raw)
  const received = await raw.ended
  expect(received.includes('"id":"ping"')).toBe(false)
  expect(await other.call('ping')).toHaveProperty('result')
  await until(() => expect(server.connections()).toBe(1))
  expect(server.logged).toEqual([])
  return closeCodeIn(received)
}

describe('a frame that breaks the protocol closes the connection before later frames are read', () => {
  it.each<[string, number, Buffer[]]>([
    ['unmasked', 1002, [frame({ payload: ping, masked: false })]],
    ['of a reserved kind', 1002, [frame({ payload: ping, opcode: 3 })]],
    ['of a reserved control kind', 1002, [frame({ opcode: 11 })]],
    ['with a reserved bit, as if compressed', 1002, [frame({ payload: ping, reserved: 4 })]],
    ['with another reserved bit', 1002, [frame({ payload: ping, reserved: 1 })]],
    ['a ping in pieces', 1002, [frame({ opcode: 9, fin: false })]],
    ['a ping of 126 bytes', 1002, [frame({ opcode: 9, payload: 'x'.repeat(126) })]],
    ['a continuation without a beginning', 1002, [frame({ opcode: 0, payload: ping })]],
    ['a new message inside a fragmented one', 1002, [frame({ payload: ping, fin: false }), frame({ payload: ping })]],
    ['that closes with half a code', 1002, [frame({ opcode: 8, payload: 'x' })]],
    ['that closes with an invalid code', 1002, [frame({ opcode: 8, payload: Buffer.from([0, 5]) })]],
    ['with a length beyond 2^53', 1009, [frame({ length: 1n << 63n })]],
    ['with a length of 4 MiB and a byte', 1009, [frame({ length: BigInt(4 * megabyte + 1) })]],
    ['of invalid UTF-8', 1007, [frame({ payload: Buffer.from([0xc3, 0x28]) })]],
    [
      'of pieces that are invalid UTF-8 together',
      1007,
      [frame({ payload: Buffer.from([0xe2, 0x82]), fin: false }), frame({ opcode: 0, payload: '(' })],
    ],
    ['binary', 4500, [frame({ payload: ping, opcode: 2 })]],
  ])('%s: %d', async (_, code, frames) => {
    expect(await closeCodeOf(raw => raw.write(Buffer.concat([...frames, frame({ payload: ping })])))).toBe(code)
  })
})

describe('a message in pieces', () => {
  it('is read as one, with pings between the pieces', async () => {
    const server = await startTestServer()
    const raw = await openRawWebSocket(server.port, tokens.control)
    const pieces = Array.from(ping, (payload, at) =>
      frame({ payload, opcode: at ? 0 : 1, fin: at === ping.length - 1 }),
    )
    for (const piece of pieces) {
      await raw.write(piece)
      await raw.write(frame({ opcode: 9, payload: 'still there' }))
    }
    await until(() => expect(raw.received().includes('"id":"ping"')).toBe(true))
  })

  it('closes the connection with 1009 once it exceeds 4 MiB, before its end', async () => {
    const send = async (raw: RawSocket) => {
      await raw.write(frame({ payload: '"', fin: false }))
      for (let count = 0; count < 5; count++) {
        await raw.write(frame({ payload: 'x'.repeat(megabyte), opcode: 0, fin: false }))
      }
    }
    expect(await closeCodeOf(send)).toBe(1009)
  })

  it.each([
    ['empty frames', frame({ opcode: 0, fin: false })],
    ['one-byte frames', frame({ opcode: 0, fin: false, payload: 'x' })],
  ])('of too many %s closes the connection with 1008', async (_, piece) => {
    const send = (raw: RawSocket) =>
      raw.write(Buffer.concat([frame({ payload: '"', fin: false }), ...Array.from({ length: 100 }, () => piece)]))
    expect(await closeCodeOf(send, { maxMessagePieces: 100 })).toBe(1008)
  })

  it('in too many reads closes the connection with 1008', async () => {
    const send = async (raw: RawSocket) => {
      await raw.write(frame({ length: BigInt(megabyte) }))
      for (let count = 0; count < 500; count++) {
        await raw.write('x')
        // Lets the server read each byte separately.
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    expect(await closeCodeOf(send, { maxMessagePieces: 20 })).toBe(1008)
  })
})

describe('a message that is never finished', () => {
  it('keeps its connection while pings are answered, and does not affect others', async () => {
    const server = await startTestServer({ limits: { heartbeatMs: 50, pongTimeoutMs: 100_000 } })
    const other = await greet(server.url)
    const raw = await openRawWebSocket(server.port, tokens.control)
    await raw.write(frame({ payload: '"', fin: false }))
    await until(() => expect(raw.received().includes(Buffer.from([0x89, 0x00]))).toBe(true))
    await raw.write(frame({ opcode: 10 }))
    expect(await other.call('ping')).toHaveProperty('result')
    raw.destroy()
    await until(() => expect(server.connections()).toBe(1))
  })

  it('inside a frame prevents pongs, and its connection is closed with 4012', async () => {
    const limits = { heartbeatMs: 50, pongTimeoutMs: 200 }
    const send = async (raw: RawSocket) => {
      await raw.write(frame({ length: BigInt(megabyte) }))
      const dribble = setInterval(() => void raw.write('x'), 20)
      void raw.ended.then(() => clearInterval(dribble))
    }
    expect(await closeCodeOf(send, limits)).toBe(4012)
  })
})
