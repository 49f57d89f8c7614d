import { expect, it, onTestFinished } from 'vitest'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import { createStorageRetry } from '../../../daemon/sessions/effects/storage-retry.ts'
import { DiskFull } from '../../../daemon/store/store.ts'
import { until } from '../../support/until.ts'

it('a failed entry gives the runs up at once, and each further failure only after a second', async () => {
  const calls: string[] = []
  let works = false
  const retry = createStorageRetry({
    agent: claude,
    giveUp: ({ code }) => void calls.push(code),
    works: () => works,
    over: () => void calls.push('over'),
  })
  onTestFinished(() => retry.stop())
  const full = new DiskFull('the disk is full')
  expect(retry.failed(full)).toMatchObject({ code: 'disk_full' })
  // The entry that ends the runs could not be stored either.
  expect(retry.failed(full)).toBeUndefined()
  expect([retry.isFailing, calls]).toEqual([true, []])
  await until(() => expect(calls).toEqual(['disk_full']))
  works = true
  await until(() => expect(calls).toEqual(['disk_full', 'over']))
  expect(retry.isFailing).toBe(false)
})
