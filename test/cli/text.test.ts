import { describe, expect, it } from 'vitest'
import { age, bytes, duration, table, usd } from '../../client/cli/render/format.ts'
import { jsonLine } from '../../client/cli/screen/output.ts'
import { fit, harmless, harmlessLine, oneLine, widthOf } from '../../client/cli/screen/text.ts'
import { firstLine, summary } from '../../client/cli/render/tool.ts'

describe('shown text', () => {
  it.each([
    ['clears the screen', '\u001b[2J\u001b[Hgone', '[2J[Hgone'],
    ['sets the title of the window', '\u001b]0;owned\u0007', ']0;owned'],
    ['copies to the clipboard', '\u009d52;c;aGk=\u009c', '52;c;aGk='],
    ['overwrites the line before', 'safe\rrm -rf', 'saferm -rf'],
    ['rings and steps back', '\u0007a\u0008b\u007f', 'ab'],
    ['reverses what follows', 'user\u202e \u2066txt.exe\u2069', 'user txt.exe'],
    ['marks the direction of Arabic letters', 'a\u061cb', 'ab'],
    ['has no width', 'pass\u200bw\u2060o\ufeffr\u00add', 'password'],
    ['is written in tags', 'hi\u{e0072}\u{e006d}', 'hi'],
    ['is a filler', 'a\u3164\u115f\uffa0b', 'ab'],
    ['separates lines and paragraphs', 'a\u2028b\u2029c', 'abc'],
    ['is half a character', 'a\ud83db\udc4dc', 'abc'],
    ['joins what does not join', 'a\u200db\u200cc\ufe0f', 'abc'],
    ['is an emoji of several', '👩‍💻 ❤️ 1️⃣ 👩🏽‍🚀', '👩‍💻 ❤️ 1️⃣ 👩🏽‍🚀'],
    ['is in a script that joins', 'می‌خواهم श्रीलंका ශ්‍රී', 'می‌خواهم श्रीलंका ශ්‍රී'],
    ['is what people write', 'tabs\tand\nlines, ünï, 日本, 👍🏽', 'tabs\tand\nlines, ünï, 日本, 👍🏽'],
  ])('is harmless when it %s', (_, text, expected) => {
    expect(harmless(text)).toBe(expected)
  })

  it('is harmless when an escape sequence is split in two', () => {
    expect(['a\u001b', '[2Jb'].map(harmless).join('')).toBe('a[2Jb')
  })

  it('is one line after oneLine()', () => {
    expect(oneLine(' a\n\n b\u001b[1m\tc ')).toBe('a b[1m c')
  })

  it.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['👍', 2],
  ])('%s is %i columns wide', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
  ])('%s in %i columns is %s', (text, columns, expected) => {
    expect(fit(text, columns)).toBe(expected)
  })
})

// A sample of each kind: C0, DEL, C1, directional marks, zero width, tags, fillers, separators, halves of pairs.
const hostile =
  'a\u0000\u001b[2J\u007f\u0085\u009b1A\u061c\u200b\u200e\u202e\u2066\u2028\ufeff\u{e0041}\u{e0020}\ud800"\\\n'

describe('printed JSON', () => {
  it('keeps its value and contains no control or invisible characters', () => {
    const value = { [hostile]: [hostile, 'ünï 日本 👩‍💻'] }
    const line = jsonLine(value)
    expect(JSON.parse(line)).toEqual(value)
    expect(harmless(line)).toBe(line)
    expect(line).toContain('ünï 日本 👩‍💻')
    expect(line).toContain('\\u202e')
    expect(line).toContain('\\udb40\\udc41')
  })
})

it('harmlessLine keeps colours and removes other escape sequences', () => {
  expect(harmlessLine(`\u001b[31mred\u001b[39m ${hostile.trim()}\u001b]0;x\u0007`)).toBe(
    '\u001b[31mred\u001b[39m a[2J1A"\\]0;x',
  )
})

describe('the one-line summary of a tool', () => {
  it.each<[unknown, string]>([
    [{ command: 'npm test', description: 'Run the tests' }, 'npm test'],
    [{ file_path: '/a/b.ts', content: 'long' }, '/a/b.ts'],
    [{ a: 1, b: [2] }, '{"a":1,"b":[2]}'],
    [{}, ''],
    ['raw {', 'raw {'],
    [null, ''],
  ])('input %j is summarised as %s', (input, expected) => {
    expect(summary(input)).toBe(expected)
  })

  it.each<[unknown, string]>([
    ['\n  first\nsecond', 'first'],
    [[{ type: 'image' }, { type: 'text', text: 'from parts' }], 'from parts'],
    [[], ''],
    [undefined, ''],
  ])('output %j is summarised as %s', (output, expected) => {
    expect(firstLine(output)).toBe(expected)
  })
})

describe('formatted numbers', () => {
  it.each<[string, number, string, (amount: number) => string]>([
    ['usd', 0, '$0', usd],
    ['usd', 0.0123, '$0.0123', usd],
    ['usd', 12.345, '$12.35', usd],
    ['duration', 940, '0.9 s', duration],
    ['duration', 61_000, '1 min 1 s', duration],
    ['duration', 3_700_000, '1 h 1 min', duration],
    ['duration', 90_000_000, '1 d 1 h', duration],
    ['age', 500, '0s', age],
    ['age', 61_000, '1m', age],
    ['age', 90_000_000, '1d', age],
    ['bytes', 0, '0 B', bytes],
    ['bytes', 1_536, '1.5 KiB', bytes],
    ['bytes', 5 * 1_024 ** 3, '5.0 GiB', bytes],
  ])('%s(%d) is %s', (_, amount, expected, format) => {
    expect(format(amount)).toBe(expected)
  })
})

it('a table cuts its elastic column to fit the screen', () => {
  const lines = table(
    ['ID', 'TITLE'],
    [
      ['1', 'short'],
      ['2', 'much too long for it'],
    ],
    16,
    1,
  )
  expect(lines).toEqual(['ID  TITLE', '1   short', '2   much too lo…'])
})
