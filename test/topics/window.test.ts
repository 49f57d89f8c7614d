import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWindow } from '../../daemon/topics/delivery/window.ts'

test('fitting() counts the events that fit, and an ack frees room once', () => {
  const window = createWindow(100)
  expect(window.fitting([40, 40, 40])).toBe(2)
  window.sent(1, 40)
  window.sent(2, 40)
  expect(window.room()).toBe(20)
  expect(window.fitting([40])).toBe(0)
  window.ack(0)
  expect(window.room()).toBe(20)
  window.ack(1)
  window.ack(1)
  window.ack(0)
  expect(window.room()).toBe(60)
  window.ack(999)
  window.ack(999)
  expect(window.room()).toBe(100)
  window.sent(3, 100)
  expect(window.isOpen()).toBe(false)
  window.ack(2)
  expect(window.isOpen()).toBe(false)
})

test('an event larger than the window is sent alone', () => {
  const window = createWindow(100)
  expect(window.fitting([500, 10])).toBe(1)
  window.sent(1, 500)
  expect(window.fitting([500])).toBe(0)
  expect(window.fitting([1])).toBe(0)
  window.ack(1)
  expect(window.fitting([500])).toBe(1)
  window.sent(2, 10)
  expect(window.fitting([500])).toBe(0)
})

test('unacked bytes never exceed the window, and acking all events frees all of it', () => {
  const step = fc.oneof(
    fc.record({ send: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ ack: fc.integer({ min: -5, max: 1_200 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1_000, size: 'max' }), steps => {
      const window = createWindow(4_000)
      const outstanding: { seq: number; bytes: number }[] = []
      let seq = 0
      for (const each of steps) {
        if ('send' in each) {
          if (window.fitting([each.send]) === 0) continue
          seq++
          window.sent(seq, each.send)
          outstanding.push({ seq, bytes: each.send })
        } else {
          window.ack(each.ack)
          while (outstanding.length > 0 && outstanding[0]!.seq <= each.ack) outstanding.shift()
        }
        const bytes = outstanding.reduce((sum, entry) => sum + entry.bytes, 0)
        expect(bytes).toBeLessThanOrEqual(4_000)
        // Merged records may make the room smaller than it is, but never larger.
        expect(window.room()).toBeLessThanOrEqual(4_000 - bytes)
      }
      window.ack(seq)
      expect(window.room()).toBe(4_000)
    }),
  )
})
