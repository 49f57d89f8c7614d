import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLineSplitter, type Line, parseExitRecord } from '../../daemon/pty-host/lines.ts'

const copy = ({ bytes, endOffset }: Line): Line => ({ bytes: Buffer.from(bytes), endOffset })

const split = (chunks: (string | Buffer)[], startOffset = 0) => {
  const splitter = createLineSplitter(startOffset)
  const lines = chunks.flatMap(chunk =>
    splitter.push(Buffer.from(chunk)).map(({ bytes, endOffset }) => [bytes.toString(), endOffset]),
  )
  return { lines, pendingBytes: splitter.pendingBytes, rest: splitter.rest().toString() }
}

describe('lines of the raw log', () => {
  test('end at a newline, without carriage returns, and have the offset behind them', () => {
    expect(split(['one\r\ntwo\n\nthr', 'ee\r\r\n'])).toEqual({
      lines: [
        ['one', 5],
        ['two', 9],
        ['', 10],
        ['three', 18],
      ],
      pendingBytes: 0,
      rest: '',
    })
  })

  test('have offsets that count from the start offset', () => {
    expect(split(['b\nc'], 100).lines).toEqual([['b', 102]])
  })

  test('keep an unterminated line for rest()', () => {
    expect(split(['a\nhalf', ' a line\r'])).toMatchObject({ pendingBytes: 12, rest: 'half a line' })
  })

  test('are not split at U+2028, U+2029 and U+0085', () => {
    expect(split(['a\u2028b\u2029c\u0085d\n']).lines).toEqual([['a\u2028b\u2029c\u0085d', 13]])
  })

  test('are the same for any chunks, also if the read buffer is reused', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array.map(byte => byte % 16)))
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (all, sizes) => {
        const whole = createLineSplitter()
        const expected = whole.push(Buffer.from(all)).map(copy)
        const splitter = createLineSplitter()
        const reused = Buffer.alloc(9)
        const found: typeof expected = []
        for (let start = 0, turn = 0; start < all.length; turn += 1) {
          const length = all.copy(reused, 0, start, start + (sizes[turn % sizes.length] ?? 1))
          const lines = splitter.push(reused.subarray(0, length))
          found.push(...lines.map(copy))
          start += length
        }
        expect(found).toEqual(expected)
        expect(splitter.rest()).toEqual(whole.rest())
      }),
    )
  })

  test('are split at the size limit without losing a byte', () => {
    const splitter = createLineSplitter(0, 4)
    const lines = ['abcdefghij', 'k\nlm\n'].flatMap(chunk =>
      splitter.push(Buffer.from(chunk)).map(({ bytes, endOffset }) => [bytes.toString(), endOffset]),
    )
    expect(lines).toEqual([
      ['abcd', 4],
      ['efgh', 8],
      ['ijk', 12],
      ['lm', 15],
    ])
  })

  test('are assembled in linear time', () => {
    const chunks = Array.from({ length: 640 }, () => Buffer.alloc(4_096, 'x'))
    const timed = (work: () => void) => {
      const { user } = process.cpuUsage()
      work()
      return process.cpuUsage().user - user
    }
    const joinedEachTime = timed(() => {
      let pending = Buffer.alloc(0)
      for (const chunk of chunks) pending = Buffer.concat([pending, chunk])
    })
    const ours = timed(() => {
      const splitter = createLineSplitter()
      for (const chunk of chunks) splitter.push(chunk)
      expect(splitter.push(Buffer.from('\n'))[0]?.bytes).toHaveLength(640 * 4_096)
    })
    expect(ours).toBeLessThan(joinedEachTime / 4)
  })
})

describe('the exit record', () => {
  const read = (line: string) => {
    const record = parseExitRecord(Buffer.from(line), 'n0nce')
    return record && { before: record.before.toString(), status: record.status }
  }

  test.each([
    ['\x1en0nce 0', { before: '', status: 0 }],
    ['\x1en0nce 137', { before: '', status: 137 }],
    ['\x1b[?25h\x1en0nce 1', { before: '\x1b[?25h', status: 1 }],
    ['{"type":"resu\x1en0nce 143', { before: '{"type":"resu', status: 143 }],
    ['a\x1eother 1\x1en0nce 2', { before: 'a\x1eother 1', status: 2 }],
  ])('is found in %j', (line, expected) => {
    expect(read(line)).toEqual(expected)
  })

  test.each([
    '',
    'n0nce 0',
    '\x1en0nce',
    '\x1en0nce x',
    '\x1eother 0',
    '\x1en0nce 0 more',
    '\x1en0nce 1000',
    '{"a":"\\u001en0nce 0"}',
  ])('is not found in %j', line => {
    expect(read(line)).toBeNull()
  })
})
