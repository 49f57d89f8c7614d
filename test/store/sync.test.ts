import { createHook } from 'node:async_hooks'
import { expect, onTestFinished, test } from 'vitest'
import { events, session } from '../support/records.ts'
import { tempStore } from './temp-store.ts'

test('syncs run in the thread pool, and those asked for while one is under way share the one after it', async () => {
  const { store } = tempStore()
  store.sessions.save(session('s_1'))
  const requests = countFileRequests()
  await Promise.all(Array.from({ length: 100 }, () => store.sync()))
  expect(requests()).toBe(2)
  await store.sync()
  expect(requests()).toBe(3)
})

test('a sync also works after checkpoints have started the log anew', async () => {
  const { store } = tempStore()
  store.sessions.save(session('s_1'))
  for (let seq = 1; seq <= 6_000; seq += 100) {
    store.events.append('s_1', events(seq, seq + 99, { delta: 'x'.repeat(2_000) }))
    await store.sync()
  }
  expect(store.sizeBytes()).toBeGreaterThan(12_000_000)
  expect(store.events.bounds('s_1').head).toBe(6_000)
})

test('a store that is closed does not promise a sync, and one under way may be waited for', async () => {
  const { store } = tempStore()
  store.sessions.save(session('s_1'))
  const syncs = Promise.allSettled([store.sync(), store.sync()])
  store.close()
  const [first, second] = await syncs
  expect(first.status).toBe('fulfilled')
  expect(second).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('was closed') } })
  await expect(store.sync()).rejects.toThrow('the store is closed')
})

/** Counts file system requests handed to the thread pool from now on. */
function countFileRequests(): () => number {
  let count = 0
  const hook = createHook({
    init(_id, type) {
      if (type === 'FSREQCALLBACK') count++
    },
  }).enable()
  onTestFinished(() => void hook.disable())
  return () => count
}
