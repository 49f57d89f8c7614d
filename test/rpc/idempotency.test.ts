import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startForgettingKeys } from '../../daemon/rpc/forget-keys.ts'
import { createIdempotency, type KeepAnswer } from '../../daemon/rpc/idempotency.ts'
import { openStore } from '../../daemon/store/open.ts'
import { until } from '../support/until.ts'
import { greet, startTestServer } from '../server/harness.ts'

function setUp() {
  const directory = mkdtempSync(join(tmpdir(), 'muxd-keys-'))
  const store = openStore(join(directory, 'muxd.db'), { ballastBytes: 4_096 })
  onTestFinished(() => {
    store.close()
    rmSync(directory, { recursive: true })
  })
  const open = () => createIdempotency(store.requests, () => 5)
  let calls = 0
  const make = (keep: KeepAnswer) => {
    const answer = { call: ++calls }
    store.requests.save(keep(answer))
    return answer
  }
  return { store, open, make }
}

const call = { method: 'run.start', key: 'k', params: { prompt: 'x', session: 's_1', key: 'k' } }

test('a repeated key makes the call once, also after a restart and with reordered params', async () => {
  const { open, make } = setUp()
  expect(await open().run(call, make)).toEqual({ call: 1 })
  expect(await open().run({ ...call, params: { key: 'k', session: 's_1', prompt: 'x' } }, make)).toEqual({ call: 1 })
})

test('a key used again for another call is a conflict', async () => {
  const { open, make } = setUp()
  const idempotency = open()
  await idempotency.run(call, make)
  const conflict = { kind: 'conflict', details: { key: 'k' } }
  await expect(idempotency.run({ ...call, params: { ...call.params, prompt: 'y' } }, make)).rejects.toMatchObject(
    conflict,
  )
  await expect(idempotency.run({ ...call, method: 'session.create' }, make)).rejects.toMatchObject(conflict)
  expect(await idempotency.run({ ...call, key: 'k2' }, make)).toEqual({ call: 2 })
})

test('concurrent calls with one key wait for the first and share its answer, other params conflict', async () => {
  const { open, make } = setUp()
  const idempotency = open()
  let finish = () => {}
  const waiting = new Promise<void>(resolve => (finish = resolve))
  const answers = [1, 2, 3].map(() => idempotency.run(call, keep => waiting.then(() => make(keep))))
  await expect(idempotency.run({ ...call, params: {} }, make)).rejects.toMatchObject({ kind: 'conflict' })
  finish()
  expect(await Promise.all(answers)).toEqual([{ call: 1 }, { call: 1 }, { call: 1 }])
})

test('concurrent calls with one key share the failure of the first, and the call can be made again', async () => {
  const { open, make } = setUp()
  const idempotency = open()
  const failure = new Error('no')
  const fail = () => Promise.reject(failure)
  const all = [fail, make, make].map(each => idempotency.run(call, each))
  expect(await Promise.allSettled(all)).toEqual(all.map(() => ({ status: 'rejected', reason: failure })))
  expect(await idempotency.run(call, make)).toEqual({ call: 1 })
})

test('a handler that takes a key and keeps no answer fails the call', async () => {
  const { open } = setUp()
  await expect(open().run(call, () => ({}))).rejects.toThrow('run.start takes a key and kept no answer')
})

test('expired keys are deleted at start and repeatedly, also after a failed attempt', async () => {
  const { store } = setUp()
  const save = (key: string, ageMs: number) =>
    store.requests.save({ key, method: 'm', paramsHash: 'h', answer: '{}', time: Date.now() - ageMs })
  save('old', 60_000)
  save('young', 0)
  const warnings: string[] = []
  let fails = true
  const requests = {
    forgetBefore(time: number) {
      fails = !fails
      if (fails) throw new Error('busy')
      return store.requests.forgetBefore(time)
    },
  }
  const stop = startForgettingKeys(requests, { warn: text => warnings.push(text) }, { lifeMs: 30_000, everyMs: 5 })
  onTestFinished(stop)
  expect(['old', 'young'].map(key => store.requests.get(key)?.key)).toEqual([undefined, 'young'])
  save('older', 60_000)
  await until(() => expect(store.requests.get('older')).toBeUndefined())
  expect(warnings).toContain('old keys could not be forgotten')
  expect(store.requests.get('young')).toBeDefined()
})

test('over a connection, calls with the same key run the handler once', async () => {
  const { store } = setUp()
  let calls = 0
  const server = await startTestServer({
    requests: store.requests,
    checkResults: false,
    handlers: {
      session: {
        create(_params, { keep }) {
          const answer = { session: `s_${++calls}` }
          if (keep) store.requests.save(keep(answer))
          return answer as never
        },
      },
    },
  })
  const client = await greet(server.url)
  const create = (params: object) => client.call('session.create', { cwd: '/', ...params })
  const answers = [
    await create({ key: 'k' }),
    await create({ key: 'k' }),
    await create({}),
    await create({ key: 'k', title: 'x' }),
  ]
  expect(answers.map(({ result, error }) => result?.['session'] ?? error?.data.kind)).toEqual([
    's_1',
    's_1',
    's_2',
    'conflict',
  ])
})
