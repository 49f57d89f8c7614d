import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalAnswer } from '../../../protocol/index.ts'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import { permissionLine } from '../../../daemon/agents/claude/control.ts'
import { resolutionOf } from '../../../daemon/sessions/interpreter/approval-answer.ts'
import { approval as stored } from '../../support/records.ts'

const by = { client: 'c_1', name: 'test' }
const approval = (fields: Partial<Approval> = {}) => stored('a_1', 's_1', fields).approval
const suggestions = [
  { type: 'addRules', rules: [{ toolName: 'Bash' }], behavior: 'allow', destination: 'localSettings' },
]
const question = approval({
  kind: 'question',
  tool: 'AskUserQuestion',
  input: { questions: [{ question: 'Which/one?' }, { question: 'Which all?', multiSelect: true }] },
})
type Given = Omit<ApprovalAnswer, 'approval'>
const resolve = (of: Approval, given: Given) => resolutionOf(claude, of, { approval: of.approval, ...given }, by)
/** Returns the response that Claude Code reads. */
const sent = (of: Approval, given: Given) => {
  const line = permissionLine('q', resolve(of, given).answer!, of.input)
  return (JSON.parse(line) as { response: { response: unknown } }).response.response
}

describe('the response to Claude Code', () => {
  it('contains the input with every allow, since Claude Code uses the returned input', () => {
    expect(sent(approval(), { decision: 'allow' })).toEqual({
      behavior: 'allow',
      updatedInput: { file_path: '/a.txt' },
    })
    const input = { file_path: '/b.txt' }
    expect(sent(approval(), { decision: 'allow', input })).toEqual({ behavior: 'allow', updatedInput: input })
  })

  it('contains its suggestions on remember, for the session and not for files of the project', () => {
    expect(sent(approval({ suggestions }), { decision: 'allow', remember: true })).toMatchObject({
      updatedPermissions: [{ ...suggestions[0], destination: 'session' }],
    })
  })

  it('contains the answers beside the questions, with several labels as one text', () => {
    const answers = { 'Which/one?': 'This', 'Which all?': ['A', 'B'] }
    expect(sent(question, { decision: 'allow', answers })).toEqual({
      behavior: 'allow',
      updatedInput: { ...(question.input as object), answers: { 'Which/one?': 'This', 'Which all?': 'A, B' } },
    })
  })

  it('contains the message of a denial, or names the client if there is no message', () => {
    expect(sent(approval(), { decision: 'deny', message: 'no' })).toEqual({ behavior: 'deny', message: 'no' })
    expect(sent(approval(), { decision: 'deny', interrupt: true })).toEqual({
      behavior: 'deny',
      message: 'test said no.',
      interrupt: true,
    })
    expect(resolve(approval(), { decision: 'deny' })).not.toHaveProperty('message')
  })
})

describe('resolutionOf', () => {
  const allow = { decision: 'allow' } as const
  const deny = { decision: 'deny' } as const
  it.each<[string, Approval, Given, string]>([
    ['an input with a deny', approval(), { ...deny, input: {} }, '/input'],
    ['answers with a deny', question, { ...deny, answers: { 'Which/one?': 'x' } }, '/answers'],
    ['remember with a deny', approval({ suggestions }), { ...deny, remember: true }, '/remember'],
    ['a message with an allow', approval(), { ...allow, message: 'x' }, '/message'],
    ['interrupt with an allow', approval(), { ...allow, interrupt: true }, '/interrupt'],
    ['remember without suggestions', approval(), { ...allow, remember: true }, '/remember'],
    ['answers without a question', approval(), { ...allow, answers: { x: 'y' } }, '/answers'],
    ['a question without answers', question, allow, '/answers'],
    ['no answer at all', question, { ...allow, answers: {} }, '/answers'],
    ['answers beside an input', question, { ...allow, input: {}, answers: { 'Which/one?': 'x' } }, '/input'],
    ['a question that was not asked', question, { ...allow, answers: { 'Who/~?': 'x' } }, '/answers/Who~1~0?'],
    [
      'several choices for a single-choice question',
      question,
      { ...allow, answers: { 'Which/one?': ['a', 'b'] } },
      '/answers/Which~1one?',
    ],
    ['no choice', question, { ...allow, answers: { 'Which all?': [] } }, '/answers/Which all?'],
    [
      'answers to an input without questions',
      approval({ kind: 'question', input: 7 }),
      { ...allow, answers: { x: 'y' } },
      '/answers/x',
    ],
  ])('rejects with its path: %s', (_title, of, given, path) => {
    expect(() => resolve(of, given)).toThrow(
      expect.objectContaining({ kind: 'invalid_params', details: expect.objectContaining({ path }) as object }),
    )
  })

  it('treats remember and interrupt set to false as absent', () => {
    expect(resolve(approval(), { ...allow, remember: false, interrupt: false }).decision).toBe('allow')
    expect(resolve(approval(), { ...deny, remember: false }).decision).toBe('deny')
  })
})
