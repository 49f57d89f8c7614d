import { describe, expect, it } from 'vitest'
import { createTicker } from '../../../daemon/sessions/effects/ticker.ts'
import { until } from '../../support/until.ts'

describe('the timer of the sessions', () => {
  it('calls each deadline once, in the order of their times', async () => {
    const called: string[] = []
    const ticker = createTicker()
    const now = Date.now()
    ticker.set({}, now + 20, () => void called.push('second'))
    ticker.set({}, now - 1_000, () => void called.push('first'))
    await until(() => expect(called).toEqual(['first', 'second']))
  })

  it('calls deadlines in the order of their times if several have passed', async () => {
    let skipped = 0
    const called: string[] = []
    const start = Date.now()
    const ticker = createTicker(() => start + skipped)
    ticker.set({}, start + 20, () => void called.push('second'))
    ticker.set({}, start + 10, () => void called.push('first'))
    skipped = 1_000
    await until(() => expect(called).toEqual(['first', 'second']))
  })

  it('calls neither a replaced nor a removed deadline', async () => {
    const called: string[] = []
    const ticker = createTicker()
    const [replaced, removed, infinite] = [{}, {}, {}]
    ticker.set(replaced, Date.now() + 1, () => void called.push('replaced'))
    ticker.set(removed, Date.now() + 1, () => void called.push('removed'))
    ticker.set(infinite, Date.now() + 1, () => void called.push('infinite'))
    ticker.set(replaced, Date.now() + 20, () => void called.push('new'))
    ticker.remove(removed)
    ticker.set(infinite, Infinity, () => {})
    await until(() => expect(called).toEqual(['new']))
  })

  it('follows the wall clock: a deadline that passed during a sleep is due within a second', async () => {
    let skipped = 0
    const called: string[] = []
    const ticker = createTicker(() => Date.now() + skipped)
    ticker.set({}, Date.now() + 3_600_000, () => void called.push('due'))
    skipped = 3_600_000
    await until(() => expect(called).toEqual(['due']))
  })
})
