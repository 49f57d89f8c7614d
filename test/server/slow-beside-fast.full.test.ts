import { expect, test } from 'vitest'
import { measureSlowReaders, unsentBound } from '../bench/slow-readers.ts'

const megabyte = 1024 * 1024

test('50 stalled and 50 slow readers beside 50 fast ones cost bounded memory and receive everything', async () => {
  const count = 50
  const { bytes, complete, unsentBytes, rssBytes, rssBytesBefore } = await measureSlowReaders({
    count,
    // A tenth of the data of benchmark G10, which is still more than the kernel takes for a connection.
    slowBytesPerSecond: 60_000,
    portions: 2,
    turnsPerPortion: 80,
    eventsPerTurn: 16,
    eventBytes: 4_096,
    everyMs: 2,
  })
  expect(bytes).toBe(10 * megabyte)
  expect(complete).toBe(2 * count)
  expect(unsentBytes).toBeGreaterThan(64 * 1024)
  expect(unsentBytes).toBeLessThanOrEqual(unsentBound)
  // The bytes that may wait for the readers, and some memory that is not collected yet.
  expect(rssBytes - rssBytesBefore).toBeLessThan(2 * count * unsentBound + 48 * megabyte)
}, 120_000)
