import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const prose = readFileSync(new URL('SECURITY.md', root), 'utf8')
const testsIn = (text: string) => [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file!)

/** The threats, each with its whole row. */
const rows = prose
  .split('\n')
  .filter(line => /^\| (?!threat|-)/.test(line))
  .map(line => [line.split('|')[1]!.trim(), line] as const)

it.each(rows)('the threat "%s" names existing tests', (_, row) => {
  const tests = testsIn(row)
  expect(tests.length).toBeGreaterThan(0)
  expect(tests.filter(file => !existsSync(new URL(file, root)))).toEqual([])
})

it('SECURITY.md names every test of this folder', () => {
  const here = readdirSync(fileURLToPath(new URL('test/security', root))).map(name => `test/security/${name}`)
  const others = here.filter(file => !testsIn(prose).includes(file))
  expect(others).toEqual(['test/security/security-md.test.ts'])
  expect(rows.length).toBeGreaterThan(10)
})
