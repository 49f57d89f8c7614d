import type { Step } from './recording.ts'

const before = `export function* tokens(line: string) {
  for (const match of line.matchAll(/\\S+\\s/g)) {
    yield match[0].trim()
  }
}`

const answer = `The last token of a line was dropped: the pattern asked for white space **behind** each token.

\`\`\`ts
for (const [token] of line.matchAll(/\\S+/g)) {
  yield token
}
\`\`\`

- \`src/parse.ts\`: matches the token alone, so nothing has to be trimmed
- \`test/parse.test.ts\`: a line without a line break at its end

| suite | before | now |
| --- | --- | --- |
| parse | 1 failed | 14 passed |
| all | 1 failed | 212 passed |`

export const fixesTest: Step[] = [
  { thinking: 'The failing test is about the end of a line, so I begin with the pattern.' },
  { says: 'I will look at the failing test first.' },
  { tool: 'Read', input: { file_path: 'test/parse.test.ts' }, output: '1\timport { tokens } from …' },
  {
    tool: 'Bash',
    input: { command: 'npm test -- parse', description: 'Run the tests of the parser' },
    output: "FAIL  test/parse.test.ts > keeps the last token\n  expected [ 'let', 'x' ]\n  received [ 'let' ]",
    failed: true,
  },
  {
    tool: 'Edit',
    input: { file_path: 'src/parse.ts', old_string: 'a', new_string: 'b' },
    output: 'The file src/parse.ts has been updated.',
    details: {
      structuredPatch: [
        {
          oldStart: 11,
          newStart: 11,
          lines: [
            ' export function* tokens(line: string) {',
            '-  for (const match of line.matchAll(/\\S+\\s/g)) {',
            '-    yield match[0].trim()',
            '+  for (const [token] of line.matchAll(/\\S+/g)) {',
            '+    yield token',
            '   }',
            ' }',
          ],
        },
      ],
    },
  },
  {
    tool: 'Bash',
    input: { command: 'npm test', description: 'Run all tests' },
    output: ' Test Files  31 passed (31)\n      Tests  212 passed (212)\n   Duration  4.12s',
  },
  { says: answer },
]

export const reviews: Step[] = [
  { says: 'Two of us look at it from both ends.' },
  {
    agent: 'Review the routes',
    steps: [
      { tool: 'Grep', input: { pattern: 'router\\.(get|post)' }, output: 'Found 9 files' },
      { tool: 'Read', input: { file_path: 'src/routes/orders.ts' }, output: before },
      { says: 'Every route but `POST /orders` checks its body.' },
    ],
    report: '`POST /orders` takes its body unchecked.',
  },
  {
    agent: 'Review the queries',
    steps: [
      { tool: 'Bash', input: { command: 'rg "db.query" src | wc -l', description: 'Count queries' }, output: '23' },
      { tool: 'Read', input: { file_path: 'src/db/orders.ts' }, output: before },
    ],
    report: 'All 23 queries take their values as parameters.',
  },
  {
    says: `One thing to change:

1. \`POST /orders\` takes its body **unchecked** (\`src/routes/orders.ts:41\`)
2. the queries are fine`,
  },
]
