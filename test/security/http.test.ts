import { describe, expect, it } from 'vitest'
import { greet, startTestServer, tokens } from '../server/harness.ts'
import { closeCodeIn, openRaw, upgradeRequest } from '../support/raw-socket.ts'
import { until } from '../support/until.ts'

/**
 * Returns the answers of a server with short timeouts to `request`, up to the close. Checks that the server works as
 * before.
 */
async function answersTo(request: (port: number) => string): Promise<{ statuses: number[]; text: string }> {
  const server = await startTestServer({ limits: { requestTimeoutMs: 500, closeTimeoutMs: 200, helloTimeoutMs: 500 } })
  const raw = await openRaw(server.port)
  await raw.write(request(server.port))
  const text = (await raw.ended).toString('latin1')
  expect(await (await greet(server.url)).call('ping')).toHaveProperty('result')
  expect(server.logged).toEqual([])
  return { statuses: [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status)), text }
}

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n`
const authorization = `Authorization: Bearer ${tokens.control}`
const smuggled = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('an ambiguous request gets one answer, and nothing behind it is read', () => {
  it.each<[string, number, (host: string) => string]>([
    [
      'with a length and chunks',
      400,
      host => lines('POST / HTTP/1.1', host, 'Content-Length: 4', 'Transfer-Encoding: chunked', '', '0', '') + smuggled,
    ],
    [
      'with two lengths',
      400,
      host => lines('POST / HTTP/1.1', host, 'Content-Length: 5', 'Content-Length: 0', '') + smuggled,
    ],
    ['with an invalid length', 400, host => lines('POST / HTTP/1.1', host, 'Content-Length: +5', '') + smuggled],
    [
      'with an unknown coding',
      401,
      host => lines('POST / HTTP/1.1', host, 'Transfer-Encoding: xchunked', '') + smuggled,
    ],
    ['with a space before a colon', 400, host => lines('GET / HTTP/1.1', host, 'X : y', '') + smuggled],
    ['with an invalid name', 400, host => lines('GET / HTTP/1.1', host, 'X\x01Y: z', '') + smuggled],
    ['with a bare return in a value', 400, host => lines('GET / HTTP/1.1', host, 'X: y\rZ: z', '') + smuggled],
    ['with an unexpected body', 401, host => lines('POST / HTTP/1.1', host, 'Content-Length: 5', '') + smuggled],
    ['without a host', 400, () => lines('GET /healthz HTTP/1.1', '') + smuggled],
    ['in another protocol', 400, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['with headers of 20 KB', 431, host => lines('GET / HTTP/1.1', host, `X: ${'x'.repeat(20_000)}`, '') + smuggled],
    ['with an unknown method', 400, host => lines('GETT /healthz HTTP/1.1', host, '') + smuggled],
    ['with an unknown version', 400, host => lines('GET /healthz HTTP/9.1', host, '') + smuggled],
  ])('%s: %d', async (_, status, request) => {
    const { statuses } = await answersTo(port => request(`Host: localhost:${port}`))
    expect(statuses).toEqual([status])
  })

  it('a body that looks like a request is read as a body', async () => {
    const host = 'Host: localhost'
    const { statuses } = await answersTo(
      () =>
        lines('GET /healthz HTTP/1.1', host, `Content-Length: ${smuggled.length}`, 'Connection: close', '') + smuggled,
    )
    expect(statuses).toEqual([200])
  })

  it('a CONNECT request gets no answer', async () => {
    const { statuses } = await answersTo(port =>
      lines('CONNECT evil.example:80 HTTP/1.1', `Host: localhost:${port}`, ''),
    )
    expect(statuses).toEqual([])
  })
})

describe('other paths and other ways to send a token', () => {
  it.each([
    '/../../etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/ws/../../../etc/passwd',
    '/healthz/../daemon.json',
    '/%2e%2e/tokens.json',
    '//healthz',
    '/healthz/',
    '/healthz%00',
    '/HEALTHZ',
    '/ws/',
    '/muxd.db',
    'http://evil.example/healthz',
    '*',
  ])('%s answers 404 with a token and 401 without one', async path => {
    const request = (port: number, ...more: string[]) =>
      lines(`GET ${path} HTTP/1.1`, `Host: localhost:${port}`, 'Connection: close', ...more, '')
    expect((await answersTo(port => request(port))).statuses).toEqual([401])
    const { statuses, text } = await answersTo(port => request(port, authorization))
    expect(statuses).toEqual([404])
    expect(text).not.toMatch(/control-token|root:|muxd\.db:/)
  })

  it('a token in the URL or in a cookie is rejected', async () => {
    for (const [path, header] of [
      [`/ws?token=${tokens.control}`, 'X: y'],
      ['/ws', `Cookie: token=${tokens.control}`],
    ]) {
      const { statuses } = await answersTo(port =>
        lines(`GET ${path} HTTP/1.1`, `Host: localhost:${port}`, 'Connection: close', header!, ''),
      )
      expect(statuses).toEqual([401])
    }
  })
})

describe('an upgrade', () => {
  it.each<[string, number, string[]]>([
    ['to another protocol', 400, ['Upgrade: h2c']],
    ['of an old version', 400, ['Sec-WebSocket-Version: 7']],
    ['with an invalid key', 400, ['Sec-WebSocket-Key: short']],
  ])('%s is rejected', async (_, status, [header]) => {
    const name = header!.split(':')[0]!
    const { statuses } = await answersTo(port =>
      upgradeRequest(port, tokens.control).replace(new RegExp(`^${name}: .*$`, 'm'), header!),
    )
    expect(statuses).toEqual([status])
  })

  it('with a body answers 101 and reads the body as an invalid frame, which closes with 1002', async () => {
    const { statuses, text } = await answersTo(
      port => upgradeRequest(port, tokens.control, ['Content-Length: 40']) + smuggled,
    )
    expect(statuses).toEqual([101])
    expect(closeCodeIn(Buffer.from(text, 'latin1'))).toBe(1002)
  })
})

describe('slow HTTP clients', () => {
  it('that send a header byte by byte are disconnected after requestTimeoutMs', async () => {
    const { port, url } = await startTestServer({ limits: { requestTimeoutMs: 300 } })
    const raw = await openRaw(port)
    await raw.write('GET / HTTP/1.1\r\nX: ')
    const dribble = setInterval(() => void raw.write('x'), 5)
    const text = (await raw.ended).toString()
    clearInterval(dribble)
    expect(text).toMatch(/^(HTTP\/1\.1 408|$)/)
    expect(await (await greet(url)).call('ping')).toHaveProperty('result')
  })

  it('that never finish an upgrade or a body are disconnected', async () => {
    const { port, connections } = await startTestServer({ limits: { requestTimeoutMs: 300 } })
    const [half, bodiless] = [await openRaw(port), await openRaw(port)]
    await half.write(upgradeRequest(port, tokens.control).slice(0, -2))
    await bodiless.write(lines('GET /healthz HTTP/1.1', 'Host: localhost', 'Content-Length: 1000000', ''))
    await half.ended
    expect((await bodiless.ended).toString()).toContain('200 OK')
    expect(connections()).toBe(0)
  })

  it('in any number never block the Unix socket, and block the port only until they time out', async () => {
    const { port, socketPath, url } = await startTestServer({ limits: { maxConnections: 4, requestTimeoutMs: 3_000 } })
    const idle = await Promise.all(Array.from({ length: 4 * 2 + 16 }, () => openRaw(port)))
    const beyond = await openRaw(port)
    expect((await beyond.ended).length).toBe(0)
    expect(await (await greet(`ws+unix://${socketPath}:/ws`, { token: null })).call('ping')).toHaveProperty('result')
    await Promise.all(idle.map(({ ended }) => ended))
    await until(async () => expect(await (await greet(url)).call('ping')).toHaveProperty('result'))
  })
})
