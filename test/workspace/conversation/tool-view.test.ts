import { describe, expect, it } from 'vitest'
import { adviceFor } from '../../../client/workspace/conversation/model/advice.ts'
import { toolAbout } from '../../../client/workspace/conversation/model/tool-output.ts'
import { jsonFields, toolName, toolView } from '../../../client/workspace/conversation/model/tool-view.ts'
import { nextCancel } from '../../../client/workspace/conversation/prompt/cancelling.ts'
import { createHistory } from '../../../client/workspace/conversation/prompt/history.ts'
import { joinDraft } from '../../../client/workspace/conversation/prompt/outgoing.ts'
import { FailureCode } from '../../../protocol/index.ts'

describe('the view of a tool', () => {
  it('shows todos as a list with their states', () => {
    const todos = [
      { content: 'Read the code', status: 'completed', activeForm: 'Reading the code' },
      { content: 'Fix it', status: 'in_progress', activeForm: 'Fixing it' },
      { content: '', status: 'odd', activeForm: 'Testing' },
    ]
    expect(toolView('TodoWrite', { todos })).toEqual({
      as: 'todos',
      todos: [
        { text: 'Read the code', state: 'completed' },
        { text: 'Fix it', state: 'in_progress' },
        { text: 'Testing', state: 'pending' },
      ],
    })
    expect(toolAbout('TodoWrite', { todos })).toBe('1 of 3 done')
  })

  it('shows the prompt of an agent as text, and task tools by their subject', () => {
    const input = { description: 'Look around', prompt: 'Find all tests.', subagent_type: 'Explore' }
    expect(toolView('Task', input)).toEqual({ as: 'text', text: 'Find all tests.' })
    expect(toolAbout('Task', input)).toBe('Look around')
    expect(toolAbout('TaskCreate', { subject: 'Write the docs', description: 'All of them' })).toBe('Write the docs')
    expect(toolAbout('TaskUpdate', { taskId: '3', status: 'completed' })).toBe('task 3, completed')
    expect(toolAbout('TaskList', {})).toBe('')
  })

  it('names an MCP tool without its server, and shows its input and answer as fields', () => {
    expect(toolName('mcp__linear__create_issue')).toEqual({ name: 'create issue', server: 'linear' })
    expect(toolName('Bash')).toEqual({ name: 'Bash', server: undefined })
    expect(toolView('mcp__linear__create_issue', { teamId: 7, labels: ['bug', 'ui'], meta: { due: null } })).toEqual({
      as: 'fields',
      fields: [
        { name: 'team id', value: '7', isPath: false, isLong: false },
        { name: 'labels', value: '• bug\n• ui', isPath: false, isLong: true },
        { name: 'meta', value: 'due: –', isPath: false, isLong: false },
      ],
    })
    expect(jsonFields('{"id":12,"ok":true}')?.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      'id: 12',
      'ok: true',
    ])
    expect(jsonFields('no JSON')).toBeUndefined()
    expect(jsonFields('{broken')).toBeUndefined()
  })

  it('shows no JSON, whatever the tool', () => {
    const input = { file_path: '/a/b.ts', limit: 3, deep: { list: [{ a: 1 }, 'x'] } }
    expect(JSON.stringify(toolView('Read', input))).not.toMatch(/\\"|\{\\/)
    expect(toolAbout('Unknown', { one: 1, two: 'b', deep: {} })).toBe('1, b')
  })
})

describe('the advice about a failure', () => {
  it('is a sentence with a remedy, for every failure code', () => {
    for (const code of FailureCode.enum) {
      const { text, remedy } = adviceFor({ code, advice: 'Raise maxTurns, or use `muxd set`' })
      expect(text, code).toMatch(/^[A-Z][^`]*[.!?]$/)
      expect(text, code).not.toMatch(/\b[a-z]+[A-Z]/)
      expect(remedy, code).toBeTruthy()
    }
  })

  it('is the advice of the daemon for an unknown failure', () => {
    expect(adviceFor({ code: 'unknown', advice: 'Simplify the schema' }).text).toBe('Simplify the schema.')
  })
})

describe('the Escape key', () => {
  it('escalates each time, and only warns at first when the next prompt runs already', () => {
    const first = nextCancel('r_1', undefined, false)
    expect(first).toEqual({ run: 'r_1', mode: 'interrupt' })
    expect(nextCancel('r_1', first, false)).toEqual({ run: 'r_1', mode: 'terminate' })
    const warned = nextCancel('r_2', first, false)
    expect(warned).toEqual({ run: 'r_1', mode: 'interrupt', warnedOf: 'r_2' })
    expect(nextCancel('r_2', first, true)).toEqual(warned)
    expect(nextCancel('r_2', warned, false)).toEqual({ run: 'r_2', mode: 'interrupt' })
    expect(nextCancel('r_2', warned, true)).toEqual({ run: 'r_2', mode: 'kill' })
  })
})

describe('a draft', () => {
  it('is restored after an earlier prompt was recalled, changed and sent', () => {
    const history = createHistory(() => ['one', 'two'])
    expect(history.step(true, 'a draft')).toBe('two')
    expect(history.step(true, 'two')).toBe('one')
    expect(history.sent()).toBe('a draft')
    expect(history.sent()).toBe('')
  })

  it('follows a prompt that comes back unsent', () => {
    expect(joinDraft('sent', ' ')).toBe('sent')
    expect(joinDraft('sent', 'typed since')).toBe('sent\n\ntyped since')
  })
})
