import { expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { connectForTest, peerForTest, reached } from './harness.ts'
import { until } from '../support/until.ts'

it('each call gets its own answer, in any order of the answers', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const ids: unknown[] = []
  peer.on('run.get', (_, __, id) => void ids.push(id))
  const calls = ['r_1', 'r_2', 'r_3'].map(run => mux.api.run.get({ run }))
  await until(() => expect(ids).toHaveLength(3))
  for (const id of ids.toReversed()) peer.sockets[0]!.answer(id, { of: id })
  expect(await Promise.all(calls)).toEqual(ids.map(of => ({ of })))
})

it("a call rejects with the kind, code, message and retryable flag of the daemon's error", async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  peer.on('session.get', (_, socket, id) => socket.refuse(id, 'not_found', 'no session s_9'))
  await expect(mux.api.session.get({ session: 's_9' })).rejects.toMatchObject({
    name: 'RpcError',
    kind: 'not_found',
    code: -32004,
    retryable: false,
    message: 'no session s_9',
  })
})

it('a call in flight rejects when the socket breaks', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const call = mux.api.session.close({ session: 's_1' })
  await until(() => expect(peer.calls('session.close')).toHaveLength(1))
  peer.cut()
  await expect(call).rejects.toMatchObject({ name: 'Unavailable', kind: 'unavailable', retryable: true })
  await until(() => expect(mux.state).toBe('open'))
  expect(peer.calls('session.close')).toHaveLength(1)
})

it('a call on a socket that is closing is not sent, and rejects when the socket has closed', async () => {
  const send = vi.spyOn(WebSocket.prototype, 'send')
  onTestFinished(() => send.mockRestore())
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const [client] = send.mock.contexts as WebSocket[]
  const { ws } = peer.sockets[0]!
  // The daemon closes, and does not read the answer: the socket of the client stays in between.
  ws.pause()
  ws.close(4000, 'going')
  await until(() => expect(client!.readyState).toBe(WebSocket.CLOSING))
  const { length } = send.mock.calls
  const call = mux.api.session.close({ session: 's_1' })
  await new Promise(setImmediate)
  expect(send.mock.calls).toHaveLength(length)
  peer.cut()
  await expect(call).rejects.toMatchObject({ name: 'Unavailable', retryable: true })
})

it('a call with a key is sent again when the socket breaks before its answer', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  let answers = 0
  peer.on('session.create', params => {
    if (answers++ === 2) return { session: 's_1', params }
    peer.cut()
    return undefined
  })
  const params = { cwd: '/', key: 'k' }
  expect(await mux.api.session.create(params)).toEqual({ session: 's_1', params })
  expect(peer.calls('session.create')).toEqual([params, params, params])
})

it('a call waits for the connection to recover', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  peer.on('session.list', () => ({ sessions: [] }))
  const recovering = reached(mux, 'recovering')
  peer.cut()
  await recovering
  expect(await mux.api.session.list({})).toEqual({ sessions: [] })
})

it('a call rejects with the reason of its signal', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const controller = new AbortController()
  const call = mux.api.run.wait({ run: 'r_1' }, { signal: controller.signal })
  await until(() => expect(peer.calls('run.wait')).toHaveLength(1))
  controller.abort(new Error('no longer interested'))
  await expect(call).rejects.toThrow('no longer interested')
  await expect(mux.api.run.wait({ run: 'r_2' }, { signal: controller.signal })).rejects.toThrow('no longer interested')
  expect(peer.calls('run.wait')).toHaveLength(1)
})

it('a call on a closed connection rejects as unavailable', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const waiting = mux.api.run.wait({ run: 'r_1' })
  mux.close()
  await expect(waiting).rejects.toMatchObject({ kind: 'unavailable' })
  await expect(mux.api.session.list({})).rejects.toMatchObject({ kind: 'unavailable' })
  await expect(mux.attach('r_1').wait()).rejects.toMatchObject({ kind: 'unavailable' })
})

it('a call above the message size limit rejects without being sent', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const prompt = '€'.repeat(1_398_200)
  await expect(mux.api.run.start({ session: 's_1', prompt })).rejects.toMatchObject({ kind: 'limit' })
  peer.on('run.start', () => ({ run: 'r_1' }))
  await mux.api.run.start({ session: 's_1', prompt: prompt.slice(0, 1_398_000) })
  expect(peer.calls('hello')).toHaveLength(1)
})

it('mux.api and its namespaces are not thenable', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  const both: unknown[] = [mux.api, mux.api.session]
  for (const each of both) expect(await each).toBeTypeOf('object')
})
