import { expect, it, onTestFinished } from 'vitest'
import { startDeadline, startDelay } from '../../daemon/os/deadline.ts'
import { createSleepWatch } from '../../daemon/os/sleep.ts'
import { until } from '../support/until.ts'

const hour = 60 * 60_000

/** A wall clock that the test sets forward, as after sleep. */
function wallClock() {
  let ahead = 0
  return { now: () => Date.now() + ahead, sleep: (ms: number) => void (ahead += ms) }
}

it('a deadline that passed while the machine slept fires soon after', async () => {
  const clock = wallClock()
  let reached = 0
  onTestFinished(startDeadline(clock.now() + hour, () => void reached++, clock.now))
  clock.sleep(hour)
  await until(() => expect(reached).toBe(1))
})

it('a deadline in the past fires only after startDeadline has returned its cancel function', async () => {
  const order: string[] = []
  const cancel = startDeadline(Date.now() - hour, () => void order.push('reached'))
  order.push(typeof cancel)
  await until(() => expect(order).toEqual(['function', 'reached']))
})

it.each([2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])('a timer of %i ms does not fire at once', async ms => {
  const over: string[] = []
  onTestFinished(startDeadline(Date.now() + ms, () => void over.push('deadline')))
  onTestFinished(startDelay(ms, () => void over.push('delay')))
  const cancelled = startDelay(1, () => void over.push('cancelled'))
  cancelled()
  // Node runs a timer after 1 ms if its delay is above the maximum. These must not fire.
  await new Promise<void>(resolve => startDelay(20, resolve))
  expect(over).toEqual([])
})

it('sleptSince returns how far the wall clock has jumped since a given time', () => {
  const clock = wallClock()
  const watch = createSleepWatch(clock.now)
  onTestFinished(() => watch.close())
  const before = clock.now()
  expect(watch.sleptSince(before)).toBe(0)
  clock.sleep(hour)
  const slept = watch.sleptSince(before)
  expect(slept).toBeGreaterThanOrEqual(hour)
  expect(watch.sleptSince(before + hour / 2)).toBeLessThan(slept)
  expect(watch.sleptSince(clock.now())).toBe(0)
})
