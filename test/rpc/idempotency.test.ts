import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createIdempotency } from '../../daemon/rpc/idempotency.ts'
import { openStore } from '../../daemon/store/open.ts'
import { greet, startTestServer } from '../server/harness.ts'

function setUp() {
  const directory = mkdtempSync(join(tmpdir(), 'muxd-keys-'))
  const store = openStore(join(directory, 'muxd.db'), { ballastBytes: 4_096 })
  onTestFinished(() => {
    store.close()
    rmSync(directory, { recursive: true })
  })
  const unsaved: string[] = []
  const open = () =>
    createIdempotency({ requests: store.requests, now: () => 5, onUnsaved: key => void unsaved.push(key) })
  let calls = 0
  const make = () => ({ call: ++calls })
  return { store, open, make, unsaved }
}

const call = { method: 'run.start', key: 'k', params: { prompt: 'x', session: 's_1', key: 'k' } }

test('the same call is made once, also after a restart and with its params in another order', async () => {
  const { open, make } = setUp()
  expect(await open().run(call, make)).toEqual({ call: 1 })
  expect(await open().run({ ...call, params: { key: 'k', session: 's_1', prompt: 'x' } }, make)).toEqual({ call: 1 })
})

test('the same key for another call is a conflict', async () => {
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

test('calls at the same time wait for the first, and share its failure', async () => {
  const { open, make } = setUp()
  const idempotency = open()
  let finish = () => {}
  const waiting = new Promise<void>(resolve => (finish = resolve))
  const answers = [1, 2, 3].map(() => idempotency.run(call, () => waiting.then(make)))
  await expect(idempotency.run({ ...call, params: {} }, make)).rejects.toMatchObject({ kind: 'conflict' })
  finish()
  expect(await Promise.all(answers)).toEqual([{ call: 1 }, { call: 1 }, { call: 1 }])
})

test('a call that failed may be made again', async () => {
  const { open, make } = setUp()
  const idempotency = open()
  const fail = () => {
    throw new Error('no')
  }
  const both = [idempotency.run(call, fail), idempotency.run(call, make)]
  expect(await Promise.allSettled(both)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  expect(await idempotency.run(call, make)).toEqual({ call: 1 })
})

test('an answer that cannot be stored is given all the same', async () => {
  const { store, open, make, unsaved } = setUp()
  const idempotency = open()
  const answer = await idempotency.run(call, () => {
    store.requests.save('k', { method: 'other', paramsHash: '', answer: '{}', time: 1 })
    return make()
  })
  expect({ answer, unsaved }).toEqual({ answer: { call: 1 }, unsaved: ['k'] })
})

test('over the wire, a key makes a mutating call once', async () => {
  const { store } = setUp()
  let calls = 0
  const server = await startTestServer({
    requests: store.requests,
    checkResults: false,
    handlers: { session: { create: () => ({ session: `s_${++calls}` }) as never } },
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
