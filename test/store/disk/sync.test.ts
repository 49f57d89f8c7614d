import { createHook } from 'node:async_hooks'
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { events, session } from '../../support/records.ts'
import { reopen, tempStore } from '../temp-store.ts'

test('syncs run in the thread pool, and concurrent requests share at most two of them', async () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const requests = countFileRequests()
  await Promise.all(Array.from({ length: 100 }, () => store.sync()))
  expect(requests()).toBe(2)
  await store.sync()
  expect(requests()).toBe(3)
})

test('the write-ahead log stays under 6 MB while syncs alternate with 12 MB of appends', async () => {
  const { store, file } = tempStore()
  store.sessions.add(session('s_1'))
  for (let seq = 1; seq <= 6_000; seq += 100) {
    store.events.append('s_1', events(seq, seq + 99, { delta: 'x'.repeat(2_000) }))
    await store.sync()
  }
  expect(store.sizeBytes()).toBeGreaterThan(12_000_000)
  expect(statSync(`${file}-wal`).size).toBeLessThan(6_000_000)
  expect(store.events.bounds('s_1').head).toBe(6_000)
})

test('close rejects pending and later syncs, except the one under way', async () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const syncs = Promise.allSettled([store.sync(), store.sync()])
  store.close()
  const [first, second] = await syncs
  expect(first.status).toBe('fulfilled')
  expect(second).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('was closed') } })
  await expect(store.sync()).rejects.toThrow('the store is closed')
})

test('after a failed sync, later syncs and writes fail, and the next opening starts a new epoch', async () => {
  const { store, file } = tempStore({ ballastBytes: 0, boot: 'boot 1' })
  store.sessions.add(session('s_1'))
  await store.sync()
  breakDescriptor(`${file}-wal`)
  const failed = expect.objectContaining({ name: 'SyncFailed', message: expect.stringContaining('muxd.db-wal') })
  const results = await Promise.allSettled([store.sync(), store.sync()])
  expect(results).toEqual(Array.from({ length: 2 }, () => ({ status: 'rejected', reason: failed })))
  const requests = countFileRequests()
  await expect(store.sync()).rejects.toThrow(failed)
  expect(requests()).toBe(0)
  expect(() => store.transaction(() => store.sessions.add(session('s_2')))).toThrow(failed)
  store.close()
  // Closing leaves the pages in the write-ahead log: after the failed sync, a checkpoint might copy bytes that differ
  // from those written.
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
  const next = reopen(file, { ballastBytes: 0, boot: 'boot 1' })
  expect(next.epoch).not.toBe(store.epoch)
  expect(next.sessions.list({ limit: 9 })).toEqual([session('s_1')])
  expect(reopen(file, { ballastBytes: 0, boot: 'boot 1' }).epoch).toBe(next.epoch)
})

/** Replaces this process's read-only descriptor of `path` by one of a device that cannot be synced. */
function breakDescriptor(path: string): void {
  const flags = (descriptor: string) =>
    /^flags:\s*0?(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))
  const isReader = (descriptor: string) =>
    existsSync(`/proc/self/fd/${descriptor}`) &&
    readlinkSync(`/proc/self/fd/${descriptor}`) === path &&
    Number.parseInt(flags(descriptor)![1]!, 8) % 4 === constants.O_RDONLY
  const descriptor = Number(readdirSync('/proc/self/fd').find(isReader))
  closeSync(descriptor)
  // The system assigns the lowest free number first.
  const opened: number[] = []
  while (!opened.includes(descriptor)) opened.push(openSync('/dev/null', 'r'))
  onTestFinished(() => {
    for (const other of opened) if (other !== descriptor) closeSync(other)
  })
}

/** Counts the file system requests given to the thread pool from now on. */
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
