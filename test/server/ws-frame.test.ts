import { expect, test } from 'vitest'
import { textFrame } from '../../daemon/topics/delivery/ws-frame.ts'

test.each([0, 125, 126, 65_535, 65_536])('a message of %i bytes is one unmasked text frame', bytes => {
  const frame = textFrame('x'.repeat(bytes))
  const [, length] = frame
  const header = length! < 126 ? 2 : length === 126 ? 4 : 10
  expect(frame[0]).toBe(0x81)
  expect(header === 2 ? length : Number(`0x${frame.toString('hex', 2, header)}`)).toBe(bytes)
  expect(frame.toString('utf8', header)).toBe('x'.repeat(bytes))
})

test('a small frame does not retain a larger buffer', () => {
  const frame = textFrame('small')
  expect(frame.buffer.byteLength).toBe(frame.length)
})
