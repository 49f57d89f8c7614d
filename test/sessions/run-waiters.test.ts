import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createRunWaiters } from '../../daemon/sessions/run-waiters.ts'
import { run } from '../support/records.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

it('a wait ends with its run, its caller or its timeout, also after a garbage collection', async () => {
  const waiters = createRunWaiters()
  const caller = new AbortController()
  const { signal } = caller
  const ended = waiters.wait('r_1', signal, 60_000)
  const timed = waiters.wait('r_2', signal, 50)
  await new Promise(setImmediate)
  collect()
  expect(await timed).toBeUndefined()
  const record = run('r_1', 's_1', { state: 'done' }).run
  waiters.published(run('r_1', 's_1', { state: 'running' }).run)
  waiters.published(record)
  expect(await ended).toBe(record)
  const left = waiters.wait('r_3', signal, 60_000)
  caller.abort()
  expect(await left).toBeUndefined()
  expect(await waiters.wait('r_4', signal, 60_000)).toBeUndefined()
})
