import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { closeCodes } from '../../protocol/index.ts'
import { type ConnectionState, open, Unavailable } from '../../client/sdk/index.ts'
import { closeAfterTest, connectForTest, fast, peerForTest, reached } from './harness.ts'
import { until } from '../support/until.ts'

describe('a connection', () => {
  it('offers its token as a subprotocol, gets muxd.v1, and says hello with its version and client name', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({
      url: peer.url,
      token: 'a+b/~?>',
      client: { name: 'me', version: '7' },
    })
    expect(peer.calls('hello')).toEqual([{ protocol: [2, 1], client: { name: 'me', version: '7' } }])
    // The token is encoded in base64url, because a subprotocol may contain neither `/` nor `=`.
    expect(peer.sockets[0]!.offered).toBe('muxd.v1,muxd.auth.YStiL34_Pg')
    expect(peer.sockets[0]!.ws.protocol).toBe('muxd.v1')
    expect(mux.hello).toMatchObject({ clientId: 'c_1', role: 'control' })
    expect(mux.state).toBe('open')
  })

  it('reconnects as the same client when it breaks, and reports its states', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    const states: ConnectionState[] = []
    mux.onState(state => states.push(state))
    peer.cut()
    await until(() => expect(states).toEqual(['recovering', 'open']))
    expect(peer.calls('hello')[1]).toMatchObject({ clientId: 'c_1' })
    mux.close()
    await until(() => expect(states).toEqual(['recovering', 'open', 'closed']))
  })

  it('reconnects after each of 20 disconnects', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    for (let count = 1; count <= 20; count++) {
      peer.cut()
      await until(() => expect(peer.sockets).toHaveLength(1))
      await until(() => expect(mux.state).toBe('open'))
    }
  })

  it.each(Object.entries(closeCodes).map(([code, { name, reconnect }]) => ({ code: Number(code), name, reconnect })))(
    'after close code $code $name: reconnecting is $reconnect',
    async ({ code, reconnect }) => {
      const peer = await peerForTest()
      const mux = await connectForTest({ url: peer.url })
      const ends: unknown[] = []
      mux.onState((state, why) => ends.push([state, (why as Unavailable | undefined)?.code]))
      peer.sockets[0]!.ws.close(code, 'because')
      const last = reconnect ? ['open', undefined] : ['closed', code]
      await until(() => expect(ends.at(-1)).toEqual(last))
    },
  )

  it('closes for good when the daemon speaks another version', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    peer.on('hello', (_, socket, id) => socket.refuse(id, 'unsupported_version', 'update the client'))
    const waiting = mux.api.session.list({})
    waiting.catch(() => {})
    peer.cut()
    await until(() => expect(mux.state).toBe('closed'))
    await expect(mux.api.session.list({})).rejects.toMatchObject({ kind: 'unsupported_version' })
  })

  it('retries while the daemon is overloaded', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    let refused = 0
    const { hello } = mux
    peer.on('hello', (_, socket, id) => (refused++ < 3 ? socket.refuse(id, 'overloaded') : hello))
    const recovering = reached(mux, 'recovering')
    peer.cut()
    await recovering
    await until(() => expect(mux.state).toBe('open'))
    expect(refused).toBe(4)
  })

  it('rejects when no daemon listens, and waits for one if it is patient', async () => {
    const gone = await peerForTest()
    const { url, port } = gone
    await gone.close()
    await expect(connectForTest({ url })).rejects.toMatchObject({
      kind: 'unavailable',
      cause: { code: 'ECONNREFUSED' },
    })
    const mux = closeAfterTest(open({ url, patient: true, timing: fast }))
    expect(mux.state).toBe('connecting')
    await peerForTest(port)
    await mux.opened
    expect(mux.state).toBe('open')
  })

  it('gives up when its token is rejected and there is no other', async () => {
    const attempts: string[] = []
    const server = createServer()
    server.on('upgrade', (request, socket) => {
      attempts.push(request.headers['sec-websocket-protocol']!)
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\nConnection: close\r\n\r\nbad token')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closeAfterTest({ close: () => server.close() })
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
    const mux = closeAfterTest(open({ url, token: 'old?>', patient: true, timing: fast }))
    await expect(mux.opened).rejects.toMatchObject({
      code: 4501,
      message: expect.stringContaining('401 bad token') as string,
    })
    expect(attempts).toEqual(['muxd.v1,muxd.auth.b2xkPz4'])
  })

  it('rejects an attempt that is not answered in time', async () => {
    const server = createTcpServer()
    const sockets: Socket[] = []
    server.on('connection', socket => sockets.push(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closeAfterTest({
      close() {
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    })
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
    await expect(connectForTest({ url, timing: { ...fast, attemptMs: 50 } })).rejects.toThrow(`no answer from ${url}`)
  })

  it('reconnects when the peer goes silent without closing', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url, timing: { ...fast, silenceMs: 60 } })
    const reasons: string[] = []
    mux.onState((_, why) => why && reasons.push(why.message))
    peer.sockets[0]!.ws.pause()
    await until(() => expect(peer.calls('hello').length).toBeGreaterThan(1))
    expect(reasons[0]).toContain('has gone silent')
  })

  it('stays open when the program itself was blocked and received messages wait unread', async () => {
    const peer = await peerForTest()
    const silenceMs = 450
    const mux = await connectForTest({ url: peer.url, timing: { ...fast, silenceMs } })
    peer.on('ping', () => ({ time: 0 }))
    const [socket] = peer.sockets
    for (let count = 0; count < 2; count++) {
      const heldUntil = Date.now() + 2 * silenceMs
      while (Date.now() < heldUntil);
      // The timer that checks for silence is due and fires first.
      await new Promise(resolve => setTimeout(resolve, 1))
      socket!.notify('heartbeat', { time: 0, heads: {} })
      await new Promise(resolve => setImmediate(resolve))
    }
    await mux.api.run.get({ run: 'r_1' }, { signal: AbortSignal.timeout(20) }).catch(() => {})
    expect(mux.state).toBe('open')
    expect(peer.calls('hello')).toHaveLength(1)
  })

  it('pings a silent peer before it counts as lost', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url, timing: { ...fast, silenceMs: 450 } })
    peer.on('ping', () => ({ time: 0 }))
    await until(() => expect(peer.calls('ping').length).toBeGreaterThan(2))
    expect(mux.state).toBe('open')
    expect(peer.calls('hello')).toHaveLength(1)
  })

  it('closes for good after a bye with reconnect: false', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    peer.sockets[0]!.notify('bye', { code: 4000, reason: 'moved away', reconnect: false })
    await until(() => expect(mux.state).toBe('closed'))
    await expect(mux.api.session.list({})).rejects.toMatchObject({ message: 'moved away', code: 4000 })
    expect(peer.calls('hello')).toHaveLength(1)
  })

  it('reconnects after a bye with reconnect: true', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    const recovering = reached(mux, 'recovering')
    peer.sockets[0]!.notify('bye', { code: 4001, reason: 'restarting', reconnect: true })
    peer.sockets[0]!.ws.close(4001, 'restarting')
    await recovering
    await until(() => expect(mux.state).toBe('open'))
  })

  it('stays open while heartbeats arrive', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url, timing: { ...fast, silenceMs: 300 } })
    const beats = 20
    for (let beat = 0; beat < beats; beat++) {
      await new Promise(resolve => setTimeout(resolve, 30))
      peer.sockets[0]!.notify('heartbeat', { time: 0, heads: {} })
    }
    expect(mux.state).toBe('open')
    expect(peer.calls('hello')).toHaveLength(1)
  })

  it('ignores unknown messages and reconnects after invalid JSON', async () => {
    const peer = await peerForTest()
    const mux = await connectForTest({ url: peer.url })
    const [socket] = peer.sockets
    socket!.notify('never_heard_of', {})
    socket!.answer(99, {})
    socket!.ws.send(Buffer.from([1, 2, 3]))
    peer.on('session.list', () => ({ sessions: [] }))
    expect(await mux.api.session.list({})).toEqual({ sessions: [] })
    socket!.ws.send('{')
    await until(() => expect(peer.calls('hello')).toHaveLength(2))
  })

  it('closes when its signal aborts, and rejects everything pending with the reason', async () => {
    const peer = await peerForTest()
    const controller = new AbortController()
    const mux = await connectForTest({ url: peer.url, signal: controller.signal })
    const waiting = [
      mux.api.run.wait({ run: 'r_1' }),
      mux.subscribe('sessions').next(),
      mux.attach('r_1').result(),
      mux.attach('r_1').events().next(),
    ]
    await until(() => expect(peer.calls('run.wait')).toHaveLength(2))
    const { ws } = peer.sockets[0]!
    controller.abort(new Error('done with it'))
    for (const each of waiting) await expect(each).rejects.toThrow('done with it')
    expect(mux.state).toBe('closed')
    await until(() => expect(ws.readyState).toBe(ws.CLOSED))
    await expect(connectForTest({ url: peer.url, signal: controller.signal })).rejects.toThrow('done with it')
  })

  it('doubles its retry delay up to ten seconds', async () => {
    const waits: number[] = []
    const random = vi.spyOn(Math, 'random').mockReturnValue(1)
    const later = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((handler: () => void, ms: number) => {
      if (ms === 8_888) return 0
      // Node's own sockets use timers without a delay.
      if (ms > 0) waits.push(ms)
      queueMicrotask(handler)
      return 0
    }) as unknown as typeof setTimeout)
    try {
      const url = 'ws://127.0.0.1:1/ws'
      const mux = open({ url, patient: true, timing: { attemptMs: 8_888 } })
      await vi.waitUntil(() => waits.length > 8, { interval: 0 }).catch(() => {})
      while (waits.length < 8) await new Promise(resolve => setImmediate(resolve))
      mux.close()
      expect(waits.slice(0, 8)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    } finally {
      later.mockRestore()
      random.mockRestore()
    }
  })
})

describe('a local daemon', () => {
  it('is found by its daemon.json, also at another address after a restart', async () => {
    const home = await mkdtemp(join(tmpdir(), 'muxd-sdk-'))
    closeAfterTest({ close: () => rm(home, { recursive: true }) })
    const [one, two] = [await peerForTest(), await peerForTest()]
    await writeFile(join(home, 'daemon.json'), JSON.stringify({ url: one.url, token: 'x' }))
    const mux = await connectForTest({ home })
    await rm(join(home, 'daemon.json'))
    await one.close()
    await until(() => expect(mux.state).toBe('recovering'))
    await writeFile(join(home, 'daemon.json'), JSON.stringify({ url: two.url, token: 'y' }))
    await until(() => expect(mux.state).toBe('open'))
    expect(two.calls('hello')).toHaveLength(1)
  })

  it('is looked up once more when it rejects the token', async () => {
    const home = await mkdtemp(join(tmpdir(), 'muxd-sdk-'))
    closeAfterTest({ close: () => rm(home, { recursive: true }) })
    const [one, two] = [await peerForTest(), await peerForTest()]
    await writeFile(join(home, 'daemon.json'), JSON.stringify({ url: one.url, token: 'x' }))
    const mux = await connectForTest({ home })
    await writeFile(join(home, 'daemon.json'), JSON.stringify({ url: two.url, token: 'y' }))
    one.sockets[0]!.ws.close(4501, 'another token now')
    await until(() => expect(two.calls('hello')).toHaveLength(1))
    two.sockets[0]!.ws.close(4501, 'and no other')
    await until(() => expect(mux.state).toBe('closed'))
  })

  it('is unavailable when it does not run', async () => {
    const home = await mkdtemp(join(tmpdir(), 'muxd-sdk-'))
    closeAfterTest({ close: () => rm(home, { recursive: true }) })
    await expect(connectForTest({ home })).rejects.toThrow(`no daemon runs in ${home}`)
  })
})
