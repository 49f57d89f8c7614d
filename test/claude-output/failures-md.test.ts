import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { failureTexts } from '../../daemon/agents/claude/facts/failure-texts.ts'

test('docs/failures.md has every code with its title, its advice, and whether a retry can help', () => {
  const page = readFileSync(new URL('../../docs/failures.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter(line => line.startsWith('| `'))
  const cells = rows.map(row => row.split('|').map(cell => cell.trim()))
  expect(cells.map(([, code, title, advice, retry]) => [code, title, advice, retry])).toEqual(
    Object.entries(failureTexts).map(([code, { title, advice, retryable }]) => [
      `\`${code}\``,
      title,
      advice,
      retryable ? 'yes' : 'no',
    ]),
  )
})
