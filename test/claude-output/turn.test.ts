import { describe, expect, test } from 'vitest'
import { followBackgroundTasks, noBackgroundTasks } from '../../daemon/agents/claude/facts/background-tasks.ts'
import { readControl, readTurn } from '../../daemon/agents/claude/facts/turn.ts'
import { readRecording, replay } from './support/replay.ts'

const frames = (name: string) => replay([readRecording(name)]).frames
const prompt = (last: number) => `22222222-2222-4222-8222-22222222222${last}`

describe('readTurn', () => {
  const turns = (name: string) => frames(name).flatMap(frame => readTurn(frame) ?? [])

  test('returns a start and an end for each of three prompts, also for the interrupted one', () => {
    expect(turns('live-turns')).toEqual(
      [0, 1, 2].flatMap(last => [
        { at: 'started', promptUuids: [prompt(last)], background: null },
        { at: 'ended', promptUuids: [prompt(last)], background: null },
      ]),
    )
  })

  test('names no prompt for the turn of a background task that reported back', () => {
    expect(turns('live-background').slice(-2)).toEqual([
      { at: 'started', promptUuids: [], background: null },
      { at: 'ended', promptUuids: [], background: { kind: 'task-notification' } },
    ])
  })

  test('names no prompt in a one-shot run', () => {
    expect(turns('text')).toEqual([
      { at: 'started', promptUuids: [], background: null },
      { at: 'ended', promptUuids: [], background: null },
    ])
  })

  test('names each of several merged prompts once', () => {
    const frame = { type: 'result', user_message_uuid: 'b', user_message_uuids: ['a', 'b'] }
    expect(readTurn(frame)?.promptUuids).toEqual(['a', 'b'])
    expect(readTurn({ type: 'result', user_message_uuid: 'b' })?.promptUuids).toEqual(['b'])
  })

  test('reports no background turn for a prompt with the origin human', () => {
    expect(readTurn({ type: 'result', origin: { kind: 'human' } })?.background).toBeNull()
  })

  test('returns null for any other frame', () => {
    for (const frame of [null, 1, {}, { type: 'assistant' }, { type: 'system', subtype: 'status' }])
      expect(readTurn(frame)).toBeNull()
  })
})

describe('readControl', () => {
  test('reads a permission request of Claude Code', () => {
    const [question] = frames('live-deny').flatMap(frame => {
      const control = readControl(frame)
      return control?.kind === 'request' ? control : []
    })
    expect(question).toMatchObject({
      kind: 'request',
      requestId: 'bb47c5bd-244f-4743-90ef-a5e8756eb881',
      subtype: 'can_use_tool',
      request: {
        tool_name: 'Write',
        tool_use_id: 'toolu_fake000012',
        input: { content: 'written by the fake model\n' },
      },
    })
  })

  test('reads the responses to requests of the session', () => {
    const answers = frames('live-modes').flatMap(frame => readControl(frame) ?? [])
    expect(answers).toMatchObject([
      { kind: 'response', requestId: 'init', ok: true, response: { claude_code_version: '2.1.329' }, pending: [] },
      { kind: 'response', requestId: 'q1', ok: true, response: { mode: 'acceptEdits' } },
      { kind: 'response', requestId: 'q2', ok: true, response: { model: 'claude-sonnet-5-5' } },
    ])
  })

  test('reads an error, requests that are already pending, and a withdrawal', () => {
    const error = { subtype: 'error', request_id: 'i', error: 'no such thing', error_code: 'unsupported_request' }
    expect(readControl({ type: 'control_response', response: error })).toEqual({
      kind: 'response',
      requestId: 'i',
      ok: false,
      error: 'no such thing',
      errorCode: 'unsupported_request',
    })
    const question = { type: 'control_request', request_id: 'd', request: { subtype: 'can_use_tool' } }
    const answer = { subtype: 'success', request_id: 'i', pending_permission_requests: [question, 7] }
    expect(readControl({ type: 'control_response', response: answer })).toMatchObject({
      ok: true,
      response: {},
      pending: [{ kind: 'request', requestId: 'd', subtype: 'can_use_tool' }],
    })
    expect(readControl({ type: 'control_cancel_request', request_id: 'd' })).toEqual({ kind: 'cancel', requestId: 'd' })
  })

  test('returns null for a frame that names no request', () => {
    for (const frame of [
      null,
      {},
      { type: 'control_request' },
      { type: 'control_response' },
      { type: 'control_cancel_request' },
    ])
      expect(readControl(frame)).toBeNull()
  })
})

describe('background tasks', () => {
  const follow = (all: readonly unknown[]) => {
    let tasks = noBackgroundTasks
    return all.map(frame => (tasks = followBackgroundTasks(tasks, frame)).ids.length)
  }
  const system = (subtype: string, fields: object) => ({ type: 'system', subtype, ...fields })

  test('are those that Claude Code lists, without the ambient ones', () => {
    const counts = follow(frames('live-background'))
    expect(counts.filter((count, at) => count !== counts[at - 1])).toEqual([0, 1, 0])
    const tasks = [{ task_id: 'a' }, { task_id: 'b', ambient: true }]
    expect(follow([system('background_tasks_changed', { tasks }), system('task_started', { task_id: 'c' })])).toEqual([
      1, 1,
    ])
  })

  test('are those that have started and not ended if Claude Code lists none (2.1.197)', () => {
    const ended = { patch: { status: 'completed' } }
    const counts = follow([
      system('task_started', { task_id: 'a' }),
      system('task_started', { task_id: 'b' }),
      system('task_updated', { task_id: 'a', patch: { description: 'x' } }),
      system('task_updated', { task_id: 'a', ...ended }),
      system('task_notification', { task_id: 'a' }),
      system('task_notification', { task_id: 'b' }),
    ])
    expect(counts).toEqual([1, 2, 2, 1, 1, 0])
  })

  test('are forgotten with their descriptions when they end', () => {
    const started = ['a', 'b'].map(id => system('task_started', { task_id: id, description: `task ${id}` }))
    const both = started.reduce(followBackgroundTasks, noBackgroundTasks)
    expect(both.descriptions).toEqual({ a: 'task a', b: 'task b' })
    const one = followBackgroundTasks(both, system('task_notification', { task_id: 'a' }))
    expect(one).toEqual({ ids: ['b'], descriptions: { b: 'task b' }, listed: false })
  })
})
