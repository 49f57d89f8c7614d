import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DaemonInfo, Token } from '../../protocol/index.ts'
import { sharedTestDaemon, startTestDaemon, type TestDaemon, tempHome } from '../support/daemon.ts'
import { openPeer, type RpcPeer } from '../support/rpc-peer.ts'

type Made = { token: Token; secret: string }
const make = (peer: RpcPeer, params: object = {}) =>
  peer.call<Made>('token.create', { name: 'made', role: 'control', ...params })

const bye = (peer: RpcPeer) => peer.notifications.find(({ method }) => method === 'bye')?.params
const isOut = async (daemon: TestDaemon, secret: string) =>
  await expect(openPeer(daemon.info.url, secret)).rejects.toThrow(/401/)

/** Reads all files below a directory. */
const filesIn = (directory: string) =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).flatMap(name => {
    const file = join(directory, name)
    const facts = statSync(file)
    return facts.isFile() ? [{ name, content: readFileSync(file), mode: facts.mode }] : []
  })

const shared = sharedTestDaemon()

describe('a created token', () => {
  it('grants its role: an observe token can read, but not change anything', async () => {
    const daemon = shared()
    const control = await daemon.peer()
    const [maker, watcher] = [await make(control), await make(control, { role: 'observe' })]
    const first = await daemon.peer('first', maker.secret)
    const { session } = await first.call<{ session: string }>('session.create', { cwd: daemon.home })
    const second = await daemon.peer('second', watcher.secret)
    expect(await second.call('session.get', { session })).toMatchObject({ session })
    for (const call of [
      second.call('session.delete', { session }),
      second.call('token.list'),
      make(second),
      second.call('token.revoke', { id: maker.token.id }),
    ])
      await expect(call).rejects.toMatchObject({ error: { data: { kind: 'forbidden' } } })
  })

  it('works until it is revoked, which closes its connections with 4501 and no others', async () => {
    const daemon = shared()
    const control = await daemon.peer()
    const [made, other] = [await make(control, { name: 'lost phone' }), await make(control)]
    const out = [await daemon.peer('out', made.secret), await daemon.peer('out too', made.secret)]
    const stays = await daemon.peer('stays', other.secret)
    await control.call('token.revoke', { id: made.token.id })
    for (const peer of out) {
      expect(await peer.closed).toBe(4501)
      expect(bye(peer)).toEqual({ code: 4501, reason: 'the token "lost phone" was revoked', reconnect: false })
    }
    await isOut(daemon, made.secret)
    expect(await stays.call('ping')).toHaveProperty('time')
    expect(await control.call('ping')).toHaveProperty('time')
  })

  it('expires at the end of its life, which closes its connections', async () => {
    const daemon = await startTestDaemon()
    const control = await daemon.peer()
    const { secret, token } = await make(control, { name: 'short', expiresAfterMs: 2_000 })
    const peer = await daemon.peer('short', secret)
    expect(await peer.closed).toBe(4501)
    expect(Date.now()).toBeGreaterThanOrEqual(token.expiresAt!)
    expect(bye(peer)).toMatchObject({ reason: 'the token "short" has expired' })
    await isOut(daemon, secret)
    const { tokens } = await control.call<{ tokens: Token[] }>('token.list')
    expect(tokens.map(({ id }) => id)).toEqual(['t_control', 't_observe'])
  })

  it('works with the next daemon unless it was revoked', async () => {
    const home = tempHome()
    const first = await startTestDaemon({ home })
    const control = await first.peer()
    const [kept, revoked] = [await make(control), await make(control)]
    await control.call('token.revoke', { id: revoked.token.id })
    await first.kill()
    const next = await startTestDaemon({ home })
    expect(await (await next.peer('again', kept.secret)).call('token.list')).toMatchObject({
      tokens: [{ id: 't_control' }, { id: 't_observe' }, { ...kept.token, lastUsedAt: expect.any(Number) }],
    })
    await isOut(next, revoked.secret)
  })

  it('leaves its secret in no file of the home, and the files are accessible to their owner only', async () => {
    const daemon = await startTestDaemon({ config: { logTo: 'file', logLevel: 'debug' } })
    const { secret } = await make(await daemon.peer())
    await (await daemon.peer('with it', secret)).call('ping')
    const whileRunning = filesIn(daemon.home)
    expect(await daemon.stop()).toBe(0)
    const afterwards = filesIn(daemon.home)
    expect(whileRunning.map(({ name }) => name)).toContain('muxd.db-wal')
    expect(afterwards.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tokens.json', 'muxd.db', join('log', 'daemon.log')]),
    )
    for (const { name, content, mode } of [...whileRunning, ...afterwards]) {
      expect(content.includes(secret), name).toBe(false)
      // The test wrote config.json.
      if (name !== 'config.json') expect(mode & 0o077, name).toBe(0)
    }
  })
})

describe('a built-in token', () => {
  it('is replaced when revoked: daemon.json has the new secret, and the caller gets its answer first', async () => {
    const daemon = await startTestDaemon()
    const control = await daemon.peer()
    const observer = await daemon.peer('observer', daemon.info.observeToken)
    expect(await control.call('token.revoke', { id: 't_control' })).toEqual({})
    const now = JSON.parse(readFileSync(join(daemon.home, 'daemon.json'), 'utf8')) as DaemonInfo
    expect(await control.closed).toBe(4501)
    await isOut(daemon, daemon.info.token)
    expect(now).toEqual({ ...daemon.info, token: expect.stringMatching(/^[\w-]{43}$/) })
    const again = await daemon.peer('again', now.token)
    expect(await again.call('daemon.status')).toMatchObject({ pid: daemon.pid })
    expect(await observer.call('ping')).toHaveProperty('time')
  })
})
