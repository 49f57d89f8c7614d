import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { secretFields } from '../../daemon/rpc/secret-fields.ts'
import { events, masked, type Session } from '../../protocol/index.ts'
import { arbitraryOf } from '../support/arbitrary-of.ts'
import { startTestDaemon, type TestDaemon, tempHome } from '../support/daemon.ts'
import { methodRows } from '../support/method-rows.ts'
import { openPeer, RpcFailure, type RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { testSeed } from '../support/test-seed.ts'

/** Part of the value of each secret option, and of nothing else. */
const canary = 'tweet-tweet'
const secretOptions = {
  env: { API_KEY: `${canary} env`, EMPTY: '' },
  settings: JSON.stringify({ env: { X: `${canary} settings` } }),
  mcpConfig: [JSON.stringify({ mcpServers: { s: { command: 'true', args: [`${canary} mcp`] } } })],
  args: ['--verbose', `--allowedTools=${canary} args`],
}
const shown = {
  env: { API_KEY: masked, EMPTY: masked },
  settings: masked,
  mcpConfig: [masked],
  args: [masked, masked],
}

const roles = ['control', 'observe'] as const

/** Opens a peer for each role, subscribed to the topics, and keeps every text that the peers receive. */
async function openWatchers(daemon: TestDaemon, topics: string[]) {
  const texts: string[] = []
  const open = async (token: string) => {
    const peer = await openPeer(daemon.info.url, token, 'watcher', text => void texts.push(text))
    for (const topic of topics) await peer.call('topic.subscribe', { topic, since: 'start' })
    return peer
  }
  const [control, observe] = [await open(daemon.info.token), await open(daemon.info.observeToken)]
  return { texts, peers: { control, observe } }
}

it('secret options appear in no answer, event or log, except in session.get for the control role', {
  timeout: 120_000,
}, async () => {
  const home = tempHome()
  const options = { home, argv: ['--simulate', '--log-level', 'debug'], config: { allowArgs: true } }
  const daemon = await startTestDaemon(options)
  const everywhere = ['sessions', 'daemon', 'workspaces']
  const { texts, peers } = await openWatchers(daemon, everywhere)
  const { control, observe } = peers
  const spec = { cwd: tempDir(), options: secretOptions, title: 'a' }

  const made = await control.call<Session>('session.create', { ...spec, key: 'create' })
  expect(made.options).toEqual(shown)
  expect(await control.call('session.create', { ...spec, key: 'create' })).toEqual(made)
  const { session } = made
  for (const peer of [control, observe])
    for (const topic of [`session/${session}`, `session/${session}/frames`])
      await peer.call('topic.subscribe', { topic, since: 'start' })
  const { run } = await control.call<{ run: string }>('run.start', { session, prompt: 'sim:text' })
  await control.call('run.wait', { run })
  const created = await control.call<{ run: string; session: string }>('run.start', {
    create: spec,
    prompt: 'sim:text',
    key: 'start',
  })
  await control.call('run.wait', { run: created.run })
  await control.call('session.update', { session, title: 'b', model: 'opus' })
  const fork = { session, key: 'fork' }
  const forked = await control.call<Session>('session.fork', fork)
  expect(forked.options).toMatchObject(shown)
  expect((await observe.call<Session>('session.get', { session })).options).toMatchObject(shown)
  const { events: records } = await observe.call<{ events: { seq: number; session?: Session }[] }>('topic.read', {
    topic: 'sessions',
    after: 0,
  })
  expect(records.some(record => record.session?.options?.settings === masked)).toBe(true)
  for (const { seq } of records)
    for (const role of roles) await peers[role].call('event.get', { topic: 'sessions', seq })
  await callEverything(peers, { session, run, topic: 'sessions' })
  await control.call('session.close', { session, force: true })

  // The store has the values: only the wire masks them.
  const outspoken = await daemon.peer('control')
  expect((await outspoken.call<Session>('session.get', { session })).options).toMatchObject(secretOptions)
  expect((await outspoken.call<Session>('session.get', { session: forked.session })).options).toMatchObject(
    secretOptions,
  )

  // The next daemon returns the stored answers of calls with a key.
  expect(await daemon.stop()).toBe(0)
  const next = await startTestDaemon(options)
  const later = await openWatchers(next, [...everywhere, `session/${session}`, `session/${session}/frames`])
  expect(await later.peers.control.call('session.create', { ...spec, key: 'create' })).toEqual(made)
  expect(await later.peers.control.call('session.fork', fork)).toEqual(forked)
  await callEverything(later.peers, { session, run, topic: 'sessions' })

  const received = [...texts, ...later.texts]
  expect(received.length).toBeGreaterThan(200)
  expect(received.filter(text => text.includes(canary))).toEqual([])
  const logs = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.log'))
  const written = logs.map(name => readFileSync(join(home, name), 'utf8'))
  expect(written.length).toBeGreaterThan(0)
  expect([...written, daemon.log(), next.log()].filter(text => text.includes(canary))).toEqual([])
})

/** Methods that end something, or that the test above calls with existing values. */
const isCalledAbove =
  /^(hello|daemon\.stop|token\.revoke|session\.(create|update|fork|close|delete)|run\.(start|cancel))$/

/**
 * Calls every other method in each role, except those that show secrets to the control role, with the known values and
 * random fitting values for the rest.
 */
async function callEverything(peers: Record<(typeof roles)[number], RpcPeer>, known: Record<string, unknown>) {
  const instead = (path: string) => {
    const name = path.slice(1)
    return Object.hasOwn(known, name) ? fc.constant(known[name]) : name === 'timeoutMs' ? fc.constant(1) : undefined
  }
  const seed = testSeed(1)
  for (const [method, { params, showsSecrets }] of methodRows) {
    for (const role of roles) {
      if (isCalledAbove.test(method)) continue
      if (showsSecrets && role === 'control') continue
      for (const given of fc.sample(arbitraryOf(params, instead), { numRuns: 3, seed })) {
        await peers[role].call(method, given as object).catch((error: unknown) => {
          if (!(error instanceof RpcFailure)) throw error
          expect(error.error.data.kind).not.toBe('internal')
        })
      }
    }
  }
}

it('the mask is rejected as the value of a secret option', async () => {
  const daemon = await startTestDaemon({ config: { allowArgs: true } })
  const peer = await daemon.peer()
  const cwd = tempDir()
  for (const [options, path] of [
    [{ env: { A: 'x', B: masked } }, 'env/B'],
    [{ settings: masked }, 'settings'],
    [{ mcpConfig: ['{}', masked] }, 'mcpConfig/1'],
    [{ args: [masked] }, 'args/0'],
  ] as const) {
    const refusal = (pointer: string) => ({ error: { data: { kind: 'invalid_params', path: pointer } } })
    const create = { cwd, options }
    await expect(peer.call('session.create', create)).rejects.toMatchObject(refusal(`/options/${path}`))
    await expect(peer.call('run.start', { create, prompt: 'x' })).rejects.toMatchObject(
      refusal(`/create/options/${path}`),
    )
  }
  expect((await peer.call<{ sessions: object[] }>('session.list')).sessions).toEqual([])
})

// The log is stored as it is sent, so masking a secret in it would require parsing each event again.
it.each(Object.entries(events))('the event %s has no field for a secret', (_, schema) => {
  expect(secretFields(schema)).toBeUndefined()
})
