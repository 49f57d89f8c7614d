import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { statSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { methods } from '../../protocol/index.ts'
import { startServer } from '../../daemon/server/start-server.ts'
import { greet, openClient, startTestServer, tokens } from './harness.ts'
import { fixedTokens } from '../support/fixed-tokens.ts'
import { until } from '../support/until.ts'

const refused = (status: number, message: RegExp) =>
  expect.objectContaining({ status, message: expect.stringMatching(message) })

describe('an upgrade is refused', () => {
  test('with 403 for a foreign Host, even with a valid token', async () => {
    const { url } = await startTestServer()
    await expect(openClient(url, { headers: { host: 'evil.example:7433' } })).rejects.toEqual(refused(403, /evil/))
  })

  test('with 403 for a foreign Origin and for null', async () => {
    const { url } = await startTestServer({ allowedOrigins: ['https://ui.example'] })
    await expect(openClient(url, { headers: { origin: 'https://evil.example' } })).rejects.toEqual(refused(403, /evil/))
    await expect(openClient(url, { headers: { origin: 'null' } })).rejects.toEqual(refused(403, /null/))
    await openClient(url, { headers: { origin: 'https://ui.example' } })
  })

  test('with 401 for a missing and for a wrong token', async () => {
    const { url } = await startTestServer()
    await expect(openClient(url, { token: null })).rejects.toEqual(refused(401, /needed/))
    await expect(openClient(url, { token: 'control-token-2' })).rejects.toEqual(refused(401, /wrong/))
  })

  test('in the order Host, Origin, token, limit, path, subprotocol', async () => {
    const { url, connections } = await startTestServer({ limits: { maxConnections: 1 } })
    const all = { host: 'evil.example', origin: 'http://evil.example' }
    const elsewhere = url.replace('/ws', '/elsewhere')
    const bad = { token: 'wrong', protocols: ['other'] }
    const first = await openClient(url)
    await expect(openClient(elsewhere, { ...bad, headers: all })).rejects.toEqual(refused(403, /Host/))
    await expect(openClient(elsewhere, { ...bad, headers: { origin: all.origin } })).rejects.toEqual(
      refused(403, /Origin/),
    )
    await expect(openClient(elsewhere, bad)).rejects.toEqual(refused(401, /wrong/))
    await expect(openClient(elsewhere, { protocols: ['other'] })).rejects.toEqual(refused(503, /1 connections/))
    first.ws.close()
    await until(() => expect(connections()).toBe(0))
    await expect(openClient(elsewhere, { protocols: ['other'] })).rejects.toEqual(refused(404, /\/ws/))
    await expect(openClient(url, { protocols: ['other'] })).rejects.toEqual(refused(400, /muxd\.v1/))
    await expect(openClient(url, { protocols: [] })).rejects.toEqual(refused(400, /muxd\.v1/))
  })

  test('with 503 for an observer beyond maxObservers, while control clients still connect', async () => {
    const { url, connections } = await startTestServer({ limits: { maxConnections: 4, maxObservers: 2 } })
    const watchers = [
      await openClient(url, { token: tokens.observe }),
      await openClient(url, { token: tokens.observe }),
    ]
    await expect(openClient(url, { token: tokens.observe })).rejects.toEqual(refused(503, /2 observers/))
    await openClient(url)
    await openClient(url)
    await expect(openClient(url)).rejects.toEqual(refused(503, /4 connections/))
    watchers[0]!.ws.close()
    await until(() => expect(connections()).toBe(3))
    await openClient(url, { token: tokens.observe })
  })

  test('with 429 for everyone after ten wrong tokens, but not on the Unix socket', async () => {
    let time = 0
    const { url, socketPath } = await startTestServer({ now: () => time })
    for (let count = 0; count < 10; count++) {
      await expect(openClient(url, { token: `guess-${count}` })).rejects.toEqual(refused(401, /wrong/))
    }
    await expect(openClient(url)).rejects.toEqual(refused(429, /too many/))
    await openClient(`ws+unix://${socketPath}:/ws`, { token: null })
    time += 60_000
    await openClient(url)
  })
})

test('a browser sends its token as a subprotocol, and the server selects muxd.v1', async () => {
  const { url } = await startTestServer()
  const auth = `muxd.auth.${Buffer.from(tokens.observe).toString('base64url')}`
  const client = await openClient(url, { token: null, protocols: [auth, 'muxd.v1'] })
  expect(client.ws.protocol).toBe('muxd.v1')
  const { result } = await client.call('hello', { protocol: [2], client: { name: 'browser', version: '1' } })
  expect(result).toMatchObject({ role: 'observe' })
})

test('the Unix socket has mode 600, needs no token and grants control', async () => {
  const { socketPath } = await startTestServer()
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
  const client = await openClient(`ws+unix://${socketPath}:/ws`, { token: null })
  const { result } = await client.call('hello', { protocol: [2], client: { name: 'local', version: '1' } })
  expect(result).toMatchObject({ role: 'control' })
})

describe('HTTP', () => {
  const get = async (port: number, path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const request = httpRequest({ port, host: '127.0.0.1', path, headers, method, agent: false })
    request.end()
    const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
    let body = ''
    for await (const chunk of response) body += String(chunk)
    return {
      status: response.statusCode,
      body: body === '' ? null : (JSON.parse(body) as unknown),
      headers: response.headers,
    }
  }
  const authorization = `Bearer ${tokens.observe}`

  test('/healthz answers without a token', async () => {
    const { port } = await startTestServer()
    const { status, body } = await get(port, '/healthz?now', { host: 'evil.example' })
    expect({ status, body }).toEqual({ status: 200, body: { ok: true, name: 'muxd', version: '0.0.1' } })
  })

  test('other paths pass the same checks before they answer 404 or 426', async () => {
    const { port } = await startTestServer()
    expect(await get(port, '/', { host: 'evil.example' })).toMatchObject({ status: 403 })
    expect(await get(port, '/', { origin: 'http://evil.example', authorization })).toMatchObject({ status: 403 })
    expect(await get(port, '/')).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    expect(await get(port, '/', { authorization })).toMatchObject({ status: 404 })
    expect(await get(port, '/healthz', { authorization }, 'POST')).toMatchObject({ status: 404 })
    expect(await get(port, '/ws', { authorization })).toMatchObject({ status: 426 })
  })

  test('a request that is not complete in time is closed, also one that never begins', async () => {
    const { port } = await startTestServer({ limits: { requestTimeoutMs: 200 } })
    for (const start of ['', 'GET / HTTP/1.1\r\nHost: localhost\r\nX: ']) {
      const socket = connect(port, '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      socket.on('error', () => undefined)
      socket.resume()
      socket.write(start)
      await expect(once(socket, 'close')).resolves.toBeDefined()
    }
  })

  test('a malformed request closes its connection and no other', async () => {
    const { port, url } = await startTestServer()
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.resume()
    socket.write('\x16\x03\x01 this is no HTTP\r\n\r\n')
    await once(socket, 'close')
    expect(await greet(url)).toBeDefined()
  })
})

test('a port in use fails with AddressInUse, the host and the port', async () => {
  const first = await startTestServer()
  const { hub } = first
  const fixed = fixedTokens(tokens)
  const options = { host: '127.0.0.1', port: first.port, tokens: fixed, hub, version: '1', instance: 'i', node: 'n' }
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const handlers = Object.fromEntries(Object.keys(methods).map(namespace => [namespace, {}])) as never
  await expect(startServer({ ...options, handlers, agents: () => [], log })).rejects.toMatchObject({
    name: 'AddressInUse',
    host: '127.0.0.1',
    port: first.port,
    message: expect.stringContaining(`${first.port}`),
  })
})
