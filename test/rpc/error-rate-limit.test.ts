import { expect, test } from 'vitest'
import { createErrorRateLimit } from '../../daemon/rpc/error-rate-limit.ts'

test('a burst of 100 errors is answered in detail, then ten a second, and 1,000 brief ones exhaust it', () => {
  let time = 0
  const errorRateLimit = createErrorRateLimit(() => time)
  const count = (times: number) => {
    const answers = Array.from({ length: times }, () => errorRateLimit())
    return { detailed: answers.filter(answer => answer === 'detailed').length, last: answers.at(-1) }
  }
  expect(count(100)).toEqual({ detailed: 100, last: 'detailed' })
  expect(count(1)).toEqual({ detailed: 0, last: 'brief' })
  time += 2_100
  expect(count(30)).toEqual({ detailed: 20, last: 'brief' })
  expect(count(985)).toEqual({ detailed: 0, last: 'brief' })
  expect(count(10)).toEqual({ detailed: 0, last: 'exhausted' })
  time += 1_000_000
  expect(count(101)).toEqual({ detailed: 100, last: 'brief' })
})
