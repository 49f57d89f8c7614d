import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { arbitraryOf } from '../support/arbitrary-of.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { methodRows } from '../support/method-rows.ts'
import { RpcFailure, type RpcPeer } from '../support/rpc-peer.ts'
import { testSeed } from '../support/test-seed.ts'

/**
 * Which role may call which method. A new method needs an entry here, after some thought: `control` if it changes
 * anything or returns data that not every viewer may see.
 */
const mayBeCalledBy: Record<string, 'everybody' | 'control'> = {
  hello: 'everybody',
  ping: 'everybody',
  'daemon.status': 'everybody',
  'daemon.gc': 'control',
  'daemon.stop': 'control',
  'session.create': 'control',
  'session.get': 'everybody',
  'session.update': 'control',
  'session.fork': 'control',
  // It returns what was said to `claude` outside muxd.
  'session.importable': 'control',
  'session.list': 'everybody',
  'session.viewers': 'everybody',
  'session.close': 'control',
  'session.delete': 'control',
  'run.start': 'control',
  'run.get': 'everybody',
  'run.list': 'everybody',
  'run.wait': 'everybody',
  'run.move': 'control',
  'run.cancel': 'control',
  'approval.list': 'everybody',
  'approval.get': 'everybody',
  'approval.answer': 'control',
  'topic.subscribe': 'everybody',
  'topic.unsubscribe': 'everybody',
  'topic.read': 'everybody',
  'event.get': 'everybody',
  'token.create': 'control',
  'token.list': 'control',
  'token.revoke': 'control',
  'token.link': 'control',
  'workspace.get': 'everybody',
  'workspace.list': 'everybody',
  'workspace.save': 'control',
  'workspace.delete': 'control',
  'usage.get': 'everybody',
}

const kindOf = async (peer: RpcPeer, method: string, params: object): Promise<string | undefined> => {
  try {
    await peer.call(method, params)
    return undefined
  } catch (error) {
    if (error instanceof RpcFailure) return error.error.data.kind
    throw error
  }
}

it('every method has an entry in the table of roles', () => {
  expect([...methodRows.keys()].toSorted()).toEqual(Object.keys(mayBeCalledBy).toSorted())
})

it('the observe token can call exactly the methods for everybody, and changes nothing', async () => {
  const daemon = await startTestDaemon()
  const control = await daemon.peer()
  const { run, session } = await control.call<{ run: string; session: string }>('run.start', {
    create: { cwd: daemon.home },
    prompt: 'sim:text',
  })
  await control.call('run.wait', { run })
  const before = await snapshot(control, daemon, session)

  const observer = await daemon.peer('observer', daemon.info.observeToken)
  // Existing values, and random fitting values for the rest.
  const known: Record<string, unknown> = { session, run, topic: `session/${session}`, id: 't_control', timeoutMs: 1 }
  const instead = (path: string) => {
    const name = path.slice(1)
    return Object.hasOwn(known, name) ? fc.constant(known[name]) : undefined
  }
  const seed = testSeed(1)
  for (const [method, { params }] of methodRows) {
    const given = [
      ...fc.sample(arbitraryOf(params, instead), { numRuns: 10, seed }),
      ...fc.sample(arbitraryOf(params), { numRuns: 5, seed: seed + 1 }),
      { nothing: true },
      {},
    ] as object[]
    for (const each of given) {
      const isForbidden = (await kindOf(observer, method, each)) === 'forbidden'
      expect(isForbidden, `${method} ${JSON.stringify(each)}`).toBe(mayBeCalledBy[method] === 'control')
    }
  }
  expect(await snapshot(control, daemon, session)).toEqual(before)
})

/** Returns everything that an observer must not be able to change. */
async function snapshot(control: RpcPeer, daemon: TestDaemon, session: string) {
  const { tokens } = await control.call<{ tokens: object[] }>('token.list')
  const { pid, runs } = await control.call('daemon.status')
  return {
    daemon: { pid, runs, isOurs: pid === daemon.pid },
    sessions: await control.call('session.list'),
    runs: await control.call('run.list'),
    log: await control.call('topic.read', { topic: `session/${session}`, after: 0 }),
    tokens: tokens.map(token => ({ ...token, lastUsedAt: null })),
  }
}
