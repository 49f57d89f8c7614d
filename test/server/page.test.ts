import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Token } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { findStaticFiles } from '../../daemon/server/static-files.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { openPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startTestServer } from './harness.ts'

interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Sends a request with the path and headers unchanged. `fetch` would normalise the path and choose the headers. */
function ask(url: string, path: string, options: { method?: string; headers?: object; body?: string } = {}) {
  const { hostname, port } = new URL(url)
  return new Promise<Answer>((resolve, reject) => {
    const { method = 'GET', headers = {}, body: question } = options
    const sent = request({ hostname, port, path, method, headers: { ...headers }, agent: false }, answer => {
      void text(answer).then(body =>
        resolve({ status: answer.statusCode!, headers: answer.headers as Answer['headers'], body }),
      )
    })
    sent.on('error', reject)
    sent.end(question)
  })
}

describe('a page that is not built', () => {
  it('is answered with 503, and with the command that builds it', async () => {
    const files = findStaticFiles(pathToFileURL(`${tempDir()}/`))
    const server = await startTestServer({ page: { files, redeem: () => undefined } })
    for (const path of ['/', '/muxd.js']) {
      const { status, body } = await ask(server.url, path)
      expect({ status, body }).toEqual({ status: 503, body: expect.stringContaining('npm run build') as string })
    }
  })
})

describe('the page', () => {
  it('is served without a token, with headers that allow it to reach only its daemon', async () => {
    const { info } = await startTestDaemon()
    for (const path of ['/', '/index.html', '/?x=1']) {
      const { status, headers, body } = await ask(info.url, path)
      expect(status).toBe(200)
      expect(body).toContain('<title>muxd</title>')
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      })
      const policy = headers['content-security-policy']!
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|\*|https?:/)
    }
    const script = await ask(info.url, '/main.js', { headers: { 'accept-encoding': 'identity' } })
    expect(script).toMatchObject({ status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } })
    expect(await ask(info.url, '/main.js', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it('is the only content served: other paths and methods answer 401', async () => {
    const { info } = await startTestDaemon()
    const paths = [
      '/../daemon.js',
      '/..%2fdaemon.js',
      '/%2e%2e/daemon.js',
      '//etc/passwd',
      '/main.js.map',
      '/daemon.js',
    ]
    for (const path of paths) expect(await ask(info.url, path)).toMatchObject({ status: 401 })
    expect(await ask(info.url, '/', { method: 'POST' })).toMatchObject({ status: 401 })
  })

  it('shares the SDK with pages of allowed origins only', async () => {
    const { info } = await startTestDaemon({ config: { allowedOrigins: ['http://ui.example'] } })
    const from = (origin: string) => ask(info.url, '/muxd.js', { headers: { origin } })
    const allowed = await from('http://ui.example')
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'http://ui.example',
      'cross-origin-resource-policy': 'cross-origin',
    })
    expect((await from('http://evil.example')).headers).not.toHaveProperty('access-control-allow-origin')
    expect((await ask(info.url, '/', { headers: { origin: 'http://ui.example' } })).headers).not.toHaveProperty(
      'access-control-allow-origin',
    )
  })
})

describe('the exchange of a login link', () => {
  const open = async (role: 'control' | 'observe' = 'control') => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const link = () => peer.call<{ url: string }>('token.link', { role })
    const exchange = (url: string, headers: object = {}) =>
      ask(daemon.info.url, '/auth/exchange', {
        method: 'POST',
        headers,
        body: JSON.stringify({ code: /#code=(.+)$/.exec(url)?.[1] }),
      })
    return { daemon, peer, link, exchange }
  }

  it('logs in one browser, once, with the role of the link and a revocable token', async () => {
    const { daemon, peer, link, exchange } = await open('observe')
    const { url } = await link()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{32}$/)
    const origin = new URL(url).origin
    const { status, body, headers } = await exchange(url, { origin })
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    const { token, role } = JSON.parse(body) as { token: string; role: string }
    expect(role).toBe('observe')
    const page = await openPeer(daemon.info.url, token)
    await expect(page.call('token.link', { role })).rejects.toMatchObject({ error: { data: { kind: 'forbidden' } } })
    expect(await exchange(url)).toMatchObject({ status: 401, body: expect.stringContaining('muxd open') })

    const { tokens } = await peer.call<{ tokens: Token[] }>('token.list')
    const own = tokens.find(each => each.page)!
    expect(own).toMatchObject({ role: 'observe', builtIn: false })
    await peer.call('token.revoke', { id: own.id })
    expect(await page.closed).toBe(4501)
    expect(daemon.log()).not.toContain(url.slice(-32))
  })

  it('rejects other origins and hosts and malformed bodies, and locks after too many guesses', async () => {
    const { daemon, link, exchange } = await open()
    const { url } = await link()
    expect(await exchange(url, { origin: 'http://evil.example' })).toMatchObject({ status: 403 })
    expect(await exchange(url, { host: 'evil.example' })).toMatchObject({ status: 403 })
    const send = (body: string, method = 'POST') => ask(daemon.info.url, '/auth/exchange', { method, body })
    expect(await send('', 'GET')).toMatchObject({ status: 405 })
    for (const body of ['', '{', '[]', '{"code":7}', 'null']) expect(await send(body)).toMatchObject({ status: 400 })
    expect(await send('x'.repeat(limits.maxExchangeBytes + 1))).toMatchObject({ status: 413 })
    for (let count = 0; count < limits.authFailures; count++)
      expect(await send(JSON.stringify({ code: `guess-${count}` }))).toMatchObject({ status: 401 })
    expect(await exchange(url)).toMatchObject({ status: 429 })
  })
})

it('files are sent gzipped to clients that accept it', async () => {
  const { info } = await startTestDaemon()
  const { port } = new URL(info.url)
  const answer = await fetch(`http://127.0.0.1:${port}/main.js`)
  expect(answer.headers.get('content-encoding')).toBe('gzip')
  const plain = await ask(info.url, '/main.js')
  expect(await answer.text()).toBe(plain.body)
})
