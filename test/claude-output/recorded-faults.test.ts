import { describe, expect, test } from 'vitest'
import { ofType, readRecording, replay, translate } from './support/replay.ts'

const read = (name: string) => replay([readRecording(name)]).events

describe('blank text blocks, which get no complete frame', () => {
  test.each(['emptyTool', 'wsText'])('leave the following text whole, once and in its place (%s)', name => {
    const events = read(name)
    const text = ofType(events, 'assistant_text').map(({ delta }) => delta)
    expect(text.join('').match(/after/g)).toHaveLength(1)
    expect(ofType(events, 'message_discarded')).toEqual([])
    const [done] = ofType(events, 'done')
    const said = JSON.stringify(done?.transcript)
    expect(said.indexOf('tool_use')).toBeLessThan(said.indexOf('after'))
    expect(said.match(/after/g)).toHaveLength(1)
  })
})

test('heartbeats become progress of the called tool, in the lane of the call', () => {
  const events = read('heartbeat')
  const called = ofType(events, 'tool_use').map(({ toolUseId }) => toolUseId)
  const progress = ofType(events, 'tool_progress')
  expect(progress.map(({ elapsedMs }) => elapsedMs)).toEqual([30_000, 60_000, 30_000])
  for (const event of progress) {
    expect(called).toContain(event.toolUseId)
    expect(event).not.toHaveProperty('parent')
  }
})

describe('a refusal', () => {
  const events = read('refusalFallback')

  test('gives each message its own stop reason and usage', () => {
    const finished = ofType(events, 'message_finished')
    expect(finished.map(({ messageId, stopReason }) => [messageId, stopReason])).toEqual([
      ['msg_fid000158', 'refusal'],
      ['b1be8d76-bdc9-4af9-b069-f3b34ecac8ac', 'refusal'],
      ['msg_fid000162', 'refusal'],
    ])
    expect(finished.at(-1)?.usage).toMatchObject({ input: 11, output: 2 })
  })

  test('names the model that answers from then on', () => {
    const messages = ofType(events, 'system_message')
    expect(messages.map(({ kind, level, model }) => [kind, level, model])).toEqual([
      ['informational', 'info', undefined],
      ['model_refusal_fallback', 'warning', 'claude-opus-4-8'],
      ['model_refusal_no_fallback', 'warning', undefined],
    ])
    expect(messages[2]?.text).toBe('claude-opus-4-8 refused to answer: no')
  })
})

describe('a hook', () => {
  test('that refuses a prompt fails the run with the message of the hook', () => {
    const events = read('hookBlocksPrompt')
    expect(ofType(events, 'done')).toEqual([])
    expect(ofType(events, 'failed')).toMatchObject([
      { failure: { code: 'hook_blocked', detail: 'no such prompts', retryable: false } },
    ])
  })

  test.each([
    ['hookStops', 'hook_stopped'],
    ['stopBlock', 'stop_hook_prevented'],
  ])('that stops a turn is the terminalReason of the run (%s)', (name, terminalReason) => {
    expect(ofType(read(name), 'done')).toMatchObject([{ terminalReason }])
  })
})

test('an API that breaks off its answer fails the run as overloaded, not as network', () => {
  expect(ofType(read('midErr'), 'failed')).toMatchObject([
    { failure: { code: 'overloaded', title: 'The API broke off its answer', retryable: true } },
  ])
})

describe('sub-agents', () => {
  test('finish each message that they begin', () => {
    const events = read('nested')
    const started = ofType(events, 'message_started').map(({ messageId }) => messageId)
    const finished = ofType(events, 'message_finished').map(({ messageId }) => messageId)
    expect(finished.toSorted()).toEqual(started.toSorted())
  })

  test('count toward the tokens of the run', () => {
    const [first] = ofType(read('nested'), 'cost')
    expect(first?.tokens).toEqual({ input: 88, output: 46, cacheCreation: 56, cacheRead: 40 })
  })
})

test('thinking with streamed text emits no thinking_progress', () => {
  const events = read('bigThink')
  expect(ofType(events, 'thinking')).toHaveLength(1_000)
  expect(ofType(events, 'thinking_progress')).toEqual([])
  expect(ofType(events, 'notice')).toEqual([])
})

test('thinking without streamed text gives one event for each 100 tokens', () => {
  const frames = Array.from({ length: 100 }, (_, at) => ({
    type: 'system',
    subtype: 'thinking_tokens',
    estimated_tokens: (at + 1) * 3,
    estimated_tokens_delta: 3,
  }))
  expect(translate(frames)).toEqual([
    { type: 'thinking_progress', estimatedTokens: 102 },
    { type: 'thinking_progress', estimatedTokens: 201 },
    { type: 'thinking_progress', estimatedTokens: 300 },
  ])
})

test('a failed resume does not change the session id', () => {
  const result = { type: 'result', subtype: 'error_during_execution', is_error: true, session_id: 'new', errors: ['x'] }
  const options = { claudeSessionId: 'old', resumed: true }
  expect(ofType(translate([result], options), 'claude_session_changed')).toEqual([])
  expect(ofType(translate([result], options), 'failed')).toMatchObject([{ failure: { code: 'resume_failed' } }])
})
