import * as fc from 'fast-check'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { methods, topMethods } from '../../protocol/index.ts'
import { expectedOf, firstMismatch } from '../../daemon/rpc/mismatch.ts'

const rows = [topMethods, ...Object.values(methods)].flatMap(table => Object.entries(table))

const ids = fc.constantFrom('s_1', 'r_1', 'c_a-b_C', 'sessions', 'session/s_1', 's_', 'S_1', '', 's_1\n')
const leaf = fc.oneof(
  ids,
  fc.string({ unit: 'grapheme', maxLength: 5 }),
  fc.constantFrom(
    'x'.repeat(200),
    'x'.repeat(201),
    '\u{1f600}'.repeat(200),
    '\u{1f600}'.repeat(201),
    'start',
    'kill',
    'A',
    '1a',
  ),
  fc.constantFrom(0, 1, -1, 1.5, 1_023, 1_024, 2 ** 53, Infinity, true, false, null),
)
const names = [
  ...new Set(
    JSON.stringify(rows)
      .match(/"(\w+)":\{/g)!
      .map(name => name.slice(1, -3)),
  ),
]
const value = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), ids), tie('value'), { maxKeys: 4 }),
  ),
})).value

test.each(rows)('%s: firstMismatch finds a mismatch exactly when the compiled check fails', (_name, row) => {
  const check = Compile(row.params)
  const fields = Object.entries(row.params.properties)
  // Mostly of the right shape, to reach the inner parts.
  const nearly = fc.record(Object.fromEntries(fields.map(([name]) => [name, value])), { requiredKeys: [] })
  fc.assert(
    fc.property(fc.oneof(value, nearly), params => {
      const mismatch = firstMismatch(row.params, params)
      expect(mismatch === undefined).toBe(check.Check(params))
      if (mismatch === undefined) return
      expect(mismatch.expected).not.toBe('')
      // The path leads to the value, or to the place where it is missing.
      const at = mismatch.path
        .split('/')
        .slice(1)
        .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      let found: unknown = params
      for (const name of at) found = (found as Record<string, unknown>)[name]
      expect(mismatch.expected.startsWith('only names') ? mismatch.value : found).toBe(mismatch.value)
    }),
    { numRuns: 500 },
  )
})

test('expectedOf describes the schema of every param', () => {
  for (const [, row] of rows) {
    for (const schema of Object.values(row.params.properties)) expect(expectedOf(schema as TSchema)).toMatch(/\w/)
  }
})

test('the first wrong item among a million is found within 200 ms', () => {
  const params = { cwd: '/', options: { allowedTools: Array.from({ length: 1_000_000 }, () => 5) } }
  const startedAt = performance.now()
  expect(firstMismatch(methods.session.create.params, params)).toMatchObject({ path: '/options/allowedTools/0' })
  expect(performance.now() - startedAt).toBeLessThan(200)
})
