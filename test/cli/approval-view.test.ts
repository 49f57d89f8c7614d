import { describe, expect, it, test } from 'vitest'
import picocolors from 'picocolors'
import { type Asked, approvalLines, approvalSummary } from '../../client/cli/render/approval.ts'
import { diffOf } from '../../client/cli/render/diff.ts'

const colors = picocolors.createColors(false)
const lines = (asked: Partial<Asked>, columns = 60) =>
  approvalLines({ kind: 'tool', tool: 'Bash', input: {}, ...asked }, { colors, columns })

describe('approvalLines shows', () => {
  test.each<[string, Partial<Asked>, string[]]>([
    [
      'a command in full and its other fields',
      { input: { command: 'git push &&\n  rm -rf x', description: 'Push it', timeout: 5 } },
      ['? Bash needs permission', '  git push &&', '    rm -rf x', '  description: Push it', '  timeout: 5'],
    ],
    [
      'an edit as a diff',
      {
        tool: 'Edit',
        input: {
          file_path: '/w/a.ts',
          old_string: '1\n2\n3\n4\nold\n5\n6\n7',
          new_string: '1\n2\n3\n4\nnew\nmore\n5\n6\n7',
        },
      },
      ['? Edit needs permission', '  /w/a.ts', '    3', '    4', '  - old', '  + new', '  + more', '    5', '    6'],
    ],
    [
      'several edits in order',
      {
        tool: 'MultiEdit',
        input: {
          file_path: 'a',
          edits: [
            { old_string: 'x', new_string: 'y' },
            { old_string: '', new_string: 'z' },
          ],
        },
      },
      ['? MultiEdit needs permission', '  a', '  - x', '  + y', '  + z'],
    ],
    [
      'a new file as its content',
      { tool: 'Write', input: { file_path: 'a', content: 'one\n\ttwo\n' } },
      ['? Write needs permission', '  a', '  + one', '  +     two'],
    ],
    [
      'any other tool by its fields',
      { tool: 'mcp__x__y', input: { url: 'https://a.b', deep: { a: [1] } } },
      ['? mcp__x__y needs permission', '  url: https://a.b', '  deep: {"a":[1]}'],
    ],
    [
      'the rules that always would add',
      {
        input: { command: 'ls' },
        suggestions: [
          {
            type: 'addRules',
            rules: [{ toolName: 'Bash', ruleContent: 'ls:*' }, { toolName: 'Read' }],
            behavior: 'allow',
          },
          { type: 'setMode', mode: 'acceptEdits' },
          { type: 'addDirectories', directories: ['/tmp'] },
        ],
      },
      ['? Bash needs permission', '  ls', '  always: allow Bash(ls:*), Read, mode acceptEdits, ', '  directories /tmp'],
    ],
    [
      'a question with its options',
      {
        kind: 'question',
        tool: 'AskUserQuestion',
        input: {
          questions: [
            {
              question: 'Which?',
              options: [{ label: 'Red', description: 'a colour' }, { label: 'Blue' }],
              multiSelect: true,
            },
          ],
        },
      },
      ['? Claude asks', '  Which?', '  1 Red: a colour', '  2 Blue', '  several may be chosen'],
    ],
    [
      'a plan',
      { kind: 'plan', tool: 'ExitPlanMode', input: { plan: '# Plan\n1. Do' } },
      ['? Claude has a plan', '  # Plan', '  1. Do'],
    ],
    ['an input that is not an object', { input: 'nonsense' }, ['? Bash needs permission']],
    [
      'malformed questions',
      { kind: 'question', input: { questions: [null, 3, {}] } },
      ['? Claude asks', '  ', '  ', '  '],
    ],
  ])('%s', (_, asked, expected) => expect(lines(asked)).toEqual(expected))

  it('lines that fit the screen, without losing text', () => {
    const command = `echo ${'x'.repeat(200)} ; rm -rf /`
    const shown = lines({ input: { command } }, 40)
    for (const line of shown) expect(line.length).toBeLessThan(40)
    expect(
      shown
        .slice(1)
        .map(line => line.slice(2))
        .join(''),
    ).toBe(command)
  })

  it('at most 60 lines of a file, but all lines of a command', () => {
    const many = Array.from({ length: 100 }, (_, index) => `${index}`).join('\n')
    expect(lines({ input: { command: many } })).toHaveLength(101)
    const content = lines({ tool: 'Write', input: { file_path: 'a', content: many } }, 80)
    expect(content).toHaveLength(63)
    expect(content.at(-1)).toBe('  … and 40 more lines: muxd approvals --json has all of them')
  })

  it('no control characters and no directional marks', () => {
    const hostile = 'a\u001b[2Jb\u0007\u202ec\rd'
    const shown = [
      { input: { [hostile]: hostile, command: hostile } },
      { tool: hostile, input: { file_path: hostile, content: hostile } },
      { tool: 'Edit', input: { file_path: hostile, old_string: hostile, new_string: `${hostile}!` } },
      {
        kind: 'question',
        input: { questions: [{ question: hostile, options: [{ label: hostile, description: hostile }] }] },
      },
      { kind: 'plan', input: { plan: hostile } },
      { suggestions: [{ type: 'addRules', rules: [{ toolName: hostile, ruleContent: hostile }] }, { type: hostile }] },
    ].flatMap(asked => [
      ...lines(asked as Partial<Asked>),
      approvalSummary({ kind: 'tool', tool: 'x', input: {}, ...asked } as Asked),
    ])
    // oxlint-disable-next-line no-control-regex
    expect(shown.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
  })
})

test.each([
  ['', 'a\nb\n', ['+a', '+b']],
  ['a\n', '', ['-a']],
  ['a\nb', 'a\nb', [' a', ' b']],
  ['x\na', 'y\na', ['-x', '+y', ' a']],
  ['a\na', 'a', [' a', '-a']],
  ['1\n2\n3\n4\n5', '1\n2\n3\n5', [' 2', ' 3', '-4', ' 5']],
])('diffOf returns the lines that turn %j into %j', (before, after, expected) => {
  expect(diffOf(before, after).map(({ sign, text }) => sign + text)).toEqual(expected)
})
