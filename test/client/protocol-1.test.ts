import { expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { connect as connectInBrowser } from '../../client/sdk/browser.ts'
import { closeAfterTest, connectForTest, fast, peerForTest } from './harness.ts'
import type { Peer } from './peer.ts'
import { until } from '../support/until.ts'

const hello = (fields: object) => ({
  clientId: 'c_1',
  role: 'control',
  daemon: { version: '0.1.0', instance: 'i', node: 'n' },
  limits: { maxMessageBytes: 4_194_304, maxEventBytes: 262_144, maxRuns: 8, unattendedMs: 60_000 },
  ...fields,
})
const claude = { path: '/bin/claude', version: '2.1.0 (Claude Code)' }
const ptyHost = { state: 'connected', processes: 2 }

/** A daemon that speaks protocol 1 only. */
async function peerOf1(): Promise<Peer> {
  const peer = await peerForTest()
  peer.on('hello', ({ protocol }, socket, id) => {
    if ((protocol as number[]).includes(1)) return hello({ protocol: 1, claude })
    socket.refuse(id, 'unsupported_version', 'x speaks protocol 2, this daemon 1: update the daemon')
    return undefined
  })
  peer.on('daemon.status', () => ({ version: '0.1.0', protocol: 1, claude: null, holder: ptyHost }))
  peer.on('daemon.stop', () => ({}))
  return peer
}

const refused = {
  kind: 'unsupported_version',
  retryable: false,
  message: expect.stringMatching(/protocol 2 .*the daemon is muxd 0\.1\.0 with protocol 1: muxd restart replaces it/),
  data: { supported: [1], update: 'daemon' },
}

it('a daemon of protocol 1 can be asked for its status and stopped, with the names of protocol 2', async () => {
  const peer = await peerOf1()
  const mux = await connectForTest({ url: peer.url })
  expect(peer.calls('hello')).toMatchObject([{ protocol: [2, 1] }])
  expect(mux.hello).toEqual(hello({ protocol: 1, agents: [{ kind: 'claude', ...claude }] }))
  expect(await mux.api.daemon.status({})).toEqual({ version: '0.1.0', protocol: 1, agents: [], ptyHost })
  expect(await mux.api.daemon.stop({ restart: true })).toEqual({})
  expect(peer.calls('daemon.stop')).toEqual([{ restart: true }])
})

it('every other call to a daemon of protocol 1 is refused, and nothing is sent', async () => {
  const peer = await peerOf1()
  const mux = await connectForTest({ url: peer.url })
  await expect(mux.run({ prompt: 'x', cwd: '/' })).rejects.toMatchObject(refused)
  await expect(mux.api.session.list({})).rejects.toMatchObject(refused)
  await expect(mux.api.daemon.gc({})).rejects.toMatchObject(refused)
  await expect(mux.attach('r_1').wait()).rejects.toMatchObject(refused)
  await expect(mux.subscribe('sessions').next()).rejects.toMatchObject(refused)
  await expect(mux.approvals().next()).rejects.toMatchObject(refused)
  expect(peer.received.map(({ method }) => method)).toEqual(['hello'])
})

it('calls work once a daemon of protocol 2 has taken the place of one of protocol 1', async () => {
  const peer = await peerOf1()
  const mux = await connectForTest({ url: peer.url })
  peer.on('hello', () => hello({ protocol: 2, agents: [] }))
  peer.on('session.list', () => ({ sessions: [] }))
  peer.cut()
  await until(async () => expect(await mux.api.session.list({})).toEqual({ sessions: [] }))
  expect(mux.hello).toMatchObject({ protocol: 2 })
})

it('the SDK for browsers offers protocol 2 only, so that a daemon of protocol 1 refuses it', async () => {
  const peer = await peerOf1()
  vi.stubGlobal('WebSocket', WebSocket)
  vi.stubGlobal('fetch', () => Promise.reject(new Error('no HTTP here')))
  closeAfterTest({ close: () => vi.unstubAllGlobals() })
  await expect(connectInBrowser({ url: peer.url, timing: fast })).rejects.toMatchObject({
    kind: 'unsupported_version',
    message: 'x speaks protocol 2, this daemon 1: update the daemon',
  })
  expect(peer.calls('hello')).toMatchObject([{ protocol: [2] }])
})
