import { expect, test } from 'vitest'
import * as fc from 'fast-check'
import { cutEvent } from '../../daemon/topics/logs/cut-event.ts'

const event = (fields: object) => JSON.stringify({ seq: 7, time: 1, run: 'r_1', type: 'tool_result', ...fields })
const bytesOf = (text: string) => Buffer.byteLength(text)

test('an event within the limit is returned unchanged', () => {
  const text = event({ output: 'é'.repeat(500) })
  expect(cutEvent(text, bytesOf(text))).toBe(text)
  expect(cutEvent(text, bytesOf(text) - 1)).not.toBe(text)
})

test('large strings at any depth are shortened, and other values stay', () => {
  const output = [
    { type: 'text', text: 'a'.repeat(300_000) },
    { type: 'text', text: 'short' },
  ]
  const text = event({ output, isError: false, n: 1.5 })
  const cut = JSON.parse(cutEvent(text, 100_000)) as { output: { text: string }[] }
  expect(cut).toEqual({
    seq: 7,
    time: 1,
    run: 'r_1',
    type: 'tool_result',
    output: [
      { type: 'text', text: `${'a'.repeat(65_536)}…` },
      { type: 'text', text: 'short' },
    ],
    isError: false,
    n: 1.5,
    cut: { bytes: bytesOf(text) },
  })
})

test.each([
  [
    'many small strings',
    { transcript: Array.from({ length: 50_000 }, (_, n) => ({ role: 'user', content: `text ${n}` })) },
  ],
  ['many keys', { frame: Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`key ${n}`, n])) }],
  ['long keys', { frame: { ['k'.repeat(2_000_000)]: 1 } }],
  ['breadth at every depth', { frame: tree(7, 8) }],
  ['all characters escaped', { output: '\u0001'.repeat(1_000_000) }],
])('an event with %s is cut to 256 KiB', (_title, fields) => {
  const cut = cutEvent(event(fields), 262_144)
  expect(bytesOf(cut)).toBeLessThanOrEqual(262_144)
  expect(JSON.parse(cut)).toMatchObject({
    seq: 7,
    time: 1,
    run: 'r_1',
    type: 'tool_result',
    cut: { bytes: expect.any(Number) },
  })
})

function tree(depth: number, breadth: number): unknown {
  return depth === 0 ? 'leaf' : Array.from({ length: breadth }, () => tree(depth - 1, breadth))
}

test('an event nested 100,000 levels deep is cut to the limit', () => {
  const depth = 100_000
  const text = `{"seq":1,"type":"notice","frame":${'['.repeat(depth)}${']'.repeat(depth)}}`
  expect(bytesOf(cutEvent(text, 100_000))).toBeLessThan(100_000)
})

test('a cut never splits a surrogate pair and keeps a key named __proto__', () => {
  const text = `{"seq":1,"frame":{"__proto__":"${'\u{1f600}'.repeat(100_000)}"}}`
  const cut = cutEvent(text, 100_001)
  expect(cut).toContain('"__proto__":"')
  expect(Buffer.from(cut).toString()).toBe(cut)
  expect(cut).not.toContain('\\ud83d')
})

test('cutEvent is deterministic and returns valid JSON within the limit for any event', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })),
      fc.integer({ min: 20_000, max: 40_000 }),
      (fields, max) => {
        const text = event({ ...fields, big: 'x'.repeat(30_000) })
        const cut = cutEvent(text, max)
        expect(cutEvent(text, max)).toBe(cut)
        expect(bytesOf(cut)).toBeLessThanOrEqual(Math.max(max, 0))
        expect(JSON.parse(cut)).toHaveProperty('seq')
      },
    ),
    { numRuns: 200 },
  )
})
