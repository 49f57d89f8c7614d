import { describe, expect, it, test } from 'vitest'
import { askPerson, howToAnswer } from '../../client/cli/follow/approval-dialog.ts'
import type { Asked } from '../../client/cli/render/approval.ts'

/** Types these lines. Returns the answer, the prompts that were shown, and the lines that were not read. */
async function answered(asked: Partial<Asked>, ...typed: string[]) {
  const prompts: string[] = []
  const given = await askPerson({ kind: 'tool', tool: 'Bash', input: {}, ...asked }, async prompt => {
    prompts.push(prompt)
    return typed.shift()
  })
  return { given, prompts, left: typed }
}
const suggestions = [{ type: 'setMode', mode: 'acceptEdits' }]
const question = (multiSelect: boolean, ...more: object[]): Partial<Asked> => ({
  kind: 'question',
  input: { questions: [{ question: 'Which?', options: [{ label: 'Red' }, { label: 'Blue' }], multiSelect }, ...more] },
})

describe('askPerson', () => {
  test.each([
    ['y', { decision: 'allow' }],
    [' YES ', { decision: 'allow' }],
    ['n', { decision: 'deny' }],
    ['No', { decision: 'deny' }],
    ['n not in this directory', { decision: 'deny', message: 'not in this directory' }],
    ['no, elsewhere', { decision: 'deny', message: 'elsewhere' }],
    ['a', { decision: 'allow', remember: true }],
    ['always', { decision: 'allow', remember: true }],
  ])('accepts %j as an answer', async (typed, given) => {
    expect(await answered({ suggestions }, typed)).toMatchObject({ given, left: [] })
  })

  it.each(['', '  ', 'x', '?', 'ok', 'sure', 'go ahead', 'no problem', 'nice'])(
    'rejects %j and asks again',
    async typed => {
      expect(await answered({}, typed, 'y')).toMatchObject({ given: { decision: 'allow' }, left: [] })
    },
  )

  it('offers always only when there are suggestions', async () => {
    expect((await answered({ suggestions }, 'y')).prompts).toEqual(['Allow it? y, n, n REASON, a (always): '])
    const { prompts, given } = await answered({}, 'a', 'n')
    expect(prompts).toEqual(['Allow it? y, n, n REASON: ', '"a" is no answer: y, n, n REASON: '])
    expect(given).toEqual({ decision: 'deny' })
  })

  it('requires the whole word yes, and takes an empty line as no, when defaultToNo is set', async () => {
    const asked = { suggestions, defaultToNo: true }
    const { given, prompts } = await answered(asked, '')
    expect(given).toEqual({ decision: 'deny' })
    expect(prompts).toEqual(['Allow it? yes (in full), N, n REASON, always: '])
    expect(await answered(asked, 'y', 'a', 'yes')).toMatchObject({ given: { decision: 'allow' }, left: [] })
  })

  it('does not offer always when suppressAlwaysAllowRule is set', async () => {
    const { given, prompts } = await answered({ suggestions, suppressAlwaysAllowRule: true }, 'a', 'y')
    expect(prompts[0]).toBe('Allow it? y, n, n REASON: ')
    expect(given).toEqual({ decision: 'allow' })
  })

  it('accepts a plan with y, or denies it with changes, and does not offer always', async () => {
    const plan = { kind: 'plan', suggestions } as const
    expect((await answered(plan, 'a', 'y')).given).toEqual({ decision: 'allow' })
    expect((await answered(plan, 'ok', 'n first the tests')).given).toEqual({
      decision: 'deny',
      message: 'first the tests',
    })
  })

  test.each([
    [false, ['2'], { 'Which?': 'Blue' }],
    [false, ['3', '0', '1,2', '1'], { 'Which?': 'Red' }],
    [false, ['none of them'], { 'Which?': 'none of them' }],
    [true, ['1, 2'], { 'Which?': ['Red', 'Blue'] }],
    [true, ['2 2'], { 'Which?': ['Blue'] }],
    [true, ['1,3', '1'], { 'Which?': ['Red'] }],
  ])('chooses options (multiSelect: %s) with %j', async (multiSelect, typed, answers) => {
    expect(await answered(question(multiSelect), ...typed)).toMatchObject({
      given: { decision: 'allow', answers },
      left: [],
    })
  })

  it('asks one question after the other until one is denied or the input ends', async () => {
    const two = question(false, { question: 'And?', options: [] })
    expect((await answered(two, '1', 'that')).given).toEqual({
      decision: 'allow',
      answers: { 'Which?': 'Red', 'And?': 'that' },
    })
    expect((await answered(two, '1', 'n')).given).toEqual({ decision: 'deny' })
    expect((await answered(two, '1')).given).toBe(undefined)
  })

  it('returns undefined when the input ends', async () => {
    expect((await answered({})).given).toBe(undefined)
  })
})

it('howToAnswer returns commands that can be pasted into a shell', () => {
  expect(howToAnswer({ approval: 'a_1', kind: 'tool', input: {} })).toEqual([
    'muxd approve a_1',
    'muxd deny a_1 -m "why"',
  ])
  const input = { questions: [{ question: 'Who?', options: [{ label: "It's\n$(me)" }] }] }
  expect(howToAnswer({ approval: 'a_1', kind: 'question', input })).toContain(
    `muxd approve a_1 --answer '1=It'\\''s $(me)'`,
  )
})
