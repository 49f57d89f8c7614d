import { expect, it } from 'vitest'
import { createPageCodes } from '../../daemon/tokens/page-codes.ts'

const limits = { pageCodeLifeMs: 1_000, maxPageCodes: 3 }

it('a code can be redeemed once, for its role', () => {
  const codes = createPageCodes(limits, () => 0)
  const [control, observe] = [codes.make('control'), codes.make('observe')]
  expect(control.expiresAt).toBe(1_000)
  expect(codes.redeem('another')).toBeUndefined()
  expect(codes.redeem(observe.code)).toBe('observe')
  expect(codes.redeem(observe.code)).toBeUndefined()
  expect(codes.redeem(control.code)).toBe('control')
})

it('a code expires, and the oldest is dropped when there are too many', () => {
  let time = 0
  const codes = createPageCodes(limits, () => time)
  const made = Array.from({ length: 4 }, () => codes.make('control').code)
  expect(codes.redeem(made[0]!)).toBeUndefined()
  time = 999
  expect(codes.redeem(made[1]!)).toBe('control')
  time = 1_000
  expect(codes.redeem(made[2]!)).toBeUndefined()
})
