import { describe, expect, test } from 'vitest'
import { createTranslator } from './support/translator.ts'
import type { EventBody } from '../../protocol/index.ts'
import { ofType, readFrames, replay, translate } from './support/replay.ts'

/** Translates hand-written frames of test/fixtures/frames, which cover what the recordings lack. */
const run = (name: string) => translate(readFrames(name)).filter(({ type }) => type !== 'session_init')
const types = (events: readonly EventBody[]) => events.map(({ type }) => type)
const kinds = (events: readonly EventBody[]) => ofType(events, 'notice').map(({ kind }) => kind)

describe('rate limits', () => {
  const events = run('rate-limits')

  test('become events with their reset time in ms', () => {
    expect(ofType(events, 'rate_limit')).toEqual([
      { type: 'rate_limit', status: 'allowed', limitType: 'five_hour', resetsAt: 1_795_222_800_000, utilization: 0.4 },
      {
        type: 'rate_limit',
        status: 'allowed_warning',
        limitType: 'five_hour',
        resetsAt: 1_795_222_800_000,
        utilization: 0.92,
      },
      { type: 'rate_limit', status: 'rejected', limitType: 'five_hour', resetsAt: 1_795_222_800_000 },
    ])
  })

  test('that are reached fail the run as usage_limit with the time of the reset', () => {
    expect(events.at(-1)).toMatchObject({
      type: 'failed',
      failure: {
        code: 'usage_limit',
        title: "The plan's usage limit is reached",
        advice: 'Wait until it is reset at 2026-11-21 01:00 UTC, or change the plan',
        resetsAt: Date.UTC(2026, 10, 21, 1),
        detail: "You've hit your session limit",
        retryable: true,
      },
    })
  })
})

test('both spellings of a compaction become compaction events, and its outcome becomes a notice', () => {
  const events = run('compaction')
  expect(events.slice(0, 7)).toMatchObject([
    { type: 'status', status: 'compacting' },
    { type: 'compaction', trigger: 'auto', preTokens: 155_000, postTokens: 12_000, durationMs: 4_200 },
    { type: 'status', status: null },
    { type: 'notice', frame: { compact_result: 'success' } },
    { type: 'compaction', trigger: 'manual', preTokens: 90_000 },
    { type: 'status', status: null },
    { type: 'notice', frame: { compact_error: 'Conversation too short' } },
  ])
})

test('a reset conversation changes the session id, and the cost continues although its counter restarts', () => {
  const events = run('conversation-reset')
  const [from, to] = ['aaaaaaaa-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002']
  expect(kinds(events)).toEqual(['conversation_reset'])
  expect(ofType(events, 'claude_session_changed')).toEqual([
    { type: 'claude_session_changed', from, to, reason: 'clear' },
  ])
  expect(ofType(events, 'cost')).toMatchObject([
    { costUsd: 0.5, runCostUsd: 0.5 },
    { costUsd: 0.5, runCostUsd: 0 },
    { costUsd: 1.25, runCostUsd: 0.75 },
  ])
  expect(ofType(events, 'done').map(({ response }) => response)).toEqual(['before', '', 'after'])
})

test('every result emits a cost and a terminal event, and no turn affects the next one', () => {
  const events = run('two-results')
  expect(ofType(events, 'cost')).toMatchObject([
    { costUsd: 0.25, runCostUsd: 0.25, tokens: { input: 11, output: 3 } },
    { costUsd: 0.5, runCostUsd: 0.25, tokens: { input: 1, output: 1, cacheRead: 0 } },
    { costUsd: 0.75, runCostUsd: 0.25 },
  ])
  expect(ofType(events, 'done')).toMatchObject([
    { response: 'first', transcript: [{ content: [{ text: 'first' }] }] },
    { response: 'first, again', transcript: [] },
    { response: 'second', transcript: [{ content: [{ text: 'second' }] }] },
  ])
})

describe('an answer that a later one replaces', () => {
  test('is discarded from the first replaced block on, with the results of its tools', () => {
    const events = run('supersedes')
    expect(ofType(events, 'message_discarded')).toEqual([
      { type: 'message_discarded', messageId: 'msg_1', fromIndex: 1 },
    ])
    expect(ofType(events, 'done')).toMatchObject([
      { transcript: [{ content: [{ text: 'Let me see.' }] }, { content: [{ text: 'Another answer.' }] }] },
    ])
  })

  test('is discarded once if both the fallback notice and the new answer replace it', () => {
    const events = run('refusal-fallback')
    expect(ofType(events, 'message_discarded')).toEqual([{ type: 'message_discarded', messageId: 'msg_1' }])
    expect(kinds(events)).toEqual([])
    expect(ofType(events, 'system_message')).toMatchObject([{ kind: 'model_refusal_fallback', level: 'warning' }])
    expect(ofType(events, 'done')).toMatchObject([{ transcript: [{ content: [{ text: 'The fallback answers.' }] }] }])
  })
})

describe('an abandoned attempt', () => {
  test('is discarded from its first incomplete block on', () => {
    const events = run('given-up-in-part')
    expect(ofType(events, 'message_discarded')).toEqual([
      { type: 'message_discarded', messageId: 'msg_1', fromIndex: 1 },
    ])
    expect(kinds(events)).toEqual(['stream_event/error'])
    const [done] = ofType(events, 'done')
    expect(done?.response).toBe('It says content.')
    expect(done?.transcript).toMatchObject([
      { role: 'assistant', content: [{ text: 'I will look. ' }] },
      { role: 'assistant', content: [{ id: 'toolu_2' }] },
      { role: 'tool_result', content: { content: 'content' } },
      { role: 'assistant', content: [{ text: 'It says content.' }] },
    ])
  })

  test('is discarded when the next message begins without notice', () => {
    const events = run('dropped-message')
    expect(types(events).slice(0, 7)).toEqual([
      'message_started',
      'assistant_text',
      'message_discarded',
      'message_started',
      'message_discarded',
      'message_started',
      'assistant_text',
    ])
    expect(ofType(events, 'done')).toMatchObject([
      { response: 'the whole sentence', transcript: [{ role: 'assistant' }] },
    ])
  })

  test('is kept if it was interrupted', () => {
    const events = run('interrupted-tool')
    expect(ofType(events, 'message_discarded')).toEqual([])
    expect(ofType(events, 'tool_use')).toEqual([
      { type: 'tool_use', toolUseId: 'toolu_1', tool: 'Write', input: '{"file_path":"/a', incomplete: true },
    ])
    expect(events.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'killed', detail: '[ede_diagnostic]' } })
  })
})

describe('uncommon frames', () => {
  const events = run('unknown-types')

  test('become verbatim notices if they have no event of their own', () => {
    expect(kinds(events)).toEqual([
      'brand_new',
      'system/brand_new',
      'tool_use_summary',
      'control_request/hook_callback',
      'stream_event/brand_new_event',
      'user',
    ])
    const frames = readFrames('unknown-types')
    for (const { frame } of ofType(events, 'notice')) expect(frames).toContainEqual(frame)
  })

  test('with encrypted thinking, citations and messages to the user have one event each', () => {
    expect(ofType(events, 'redacted_thinking')).toEqual([
      { type: 'redacted_thinking', bytes: 4, messageId: 'msg_1', index: 0 },
    ])
    expect(ofType(events, 'citation')).toEqual([
      { type: 'citation', citation: { url: 'https://example.com' }, messageId: 'msg_1', index: 3 },
    ])
    expect(ofType(events, 'system_message')).toEqual([
      { type: 'system_message', level: 'info', text: 'Hook said no', kind: 'informational' },
    ])
  })

  test('of tools that the API runs become tool events', () => {
    expect(ofType(events, 'tool_use')).toMatchObject([
      { toolUseId: 'srvtoolu_1', tool: 'web_search', input: { query: 'muxd' } },
    ])
    expect(ofType(events, 'tool_result')).toMatchObject([
      { toolUseId: 'srvtoolu_1', tool: 'web_search', output: [{}], isError: false },
    ])
  })

  test('complete text that was not streamed to its end', () => {
    expect(ofType(events, 'assistant_text').map(({ delta }) => delta)).toEqual(['Found', ' it.'])
  })

  test('emit the progress of a tool and the text beside an image', () => {
    expect(ofType(events, 'tool_progress')).toEqual([
      { type: 'tool_progress', toolUseId: 'toolu_1', elapsedMs: 2_500, parent: 'toolu_0' },
    ])
    expect(ofType(events, 'user_message')).toMatchObject([{ text: 'look', origin: 'channel', replay: false }])
  })
})

test('stream events alone produce the transcript in order', () => {
  const events = run('stream-only')
  const [done] = ofType(events, 'done')
  expect(done).toMatchObject({ response: 'Two files.', numTurns: 1 })
  expect(done?.transcript.map(({ role, content }) => [role, content])).toEqual([
    ['assistant', [{ type: 'thinking', thinking: 'hm' }]],
    ['assistant', [{ type: 'text', text: 'I run it.' }]],
    ['assistant', [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } }]],
    ['tool_result', { type: 'tool_result', tool_use_id: 'toolu_1', content: 'a\nb' }],
    ['assistant', [{ type: 'text', text: 'Two files.' }]],
  ])
  expect(ofType(events, 'message_finished')).toMatchObject([
    { messageId: 'msg_1', stopReason: 'tool_use', usage: { input: 11, output: 3, cacheCreation: 7, cacheRead: 5 } },
    { messageId: 'msg_2', stopReason: 'end_turn' },
  ])
})

describe('lanes', () => {
  test('separate sub-agents from each other and from the main text', () => {
    const events = run('lanes')
    const texts = ofType(events, 'assistant_text').map(({ delta, messageId, parent }) => [parent, messageId, delta])
    expect(texts).toEqual([
      [undefined, 'msg_m', 'main '],
      ['toolu_a', 'msg_a', 'a one '],
      [undefined, 'msg_m', 'text'],
      ['toolu_a', 'msg_a', 'a two'],
    ])
    expect(ofType(events, 'tool_use')).toMatchObject([{ parent: 'toolu_b', tool: 'Bash', input: { command: 'ls' } }])
    expect(ofType(events, 'tool_result')).toMatchObject([{ parent: 'toolu_b', tool: 'Bash', output: 'x' }])
    expect(ofType(events, 'message_discarded')).toEqual([])
    expect(ofType(events, 'done')).toMatchObject([{ response: 'main text', transcript: [{ role: 'assistant' }] }])
  })

  test('of a background task outlive the turn', () => {
    const events = run('background-agent')
    expect(ofType(events, 'tool_result')).toMatchObject([
      { toolUseId: 'toolu_a', tool: 'Agent' },
      { toolUseId: 'toolu_a1', tool: 'Bash', output: 'made', parent: 'toolu_a' },
    ])
    expect(ofType(events, 'task').map(({ type: _type, ...task }) => task)).toEqual([
      { phase: 'started', taskId: 't1', toolUseId: 'toolu_a', description: 'work' },
      {
        phase: 'progress',
        taskId: 't1',
        toolUseId: 'toolu_a',
        description: 'Running make',
        summary: 'nearly done',
        usage: { total_tokens: 10, tool_uses: 1, duration_ms: 50 },
      },
      { phase: 'updated', taskId: 't1', toolUseId: 'toolu_a', status: 'failed', summary: 'out of tokens' },
      { phase: 'ended', taskId: 't1', toolUseId: 'toolu_a', status: 'failed', summary: 'failed' },
    ])
    expect(ofType(events, 'done').map(({ response }) => response)).toEqual([
      'It works in the background.',
      'It failed.',
    ])
    expect(ofType(events, 'done')[1]?.transcript).toHaveLength(1)
  })
})

test('growing copies of a message are emitted once, when the message is complete', () => {
  const events = run('snapshots')
  expect(types(events)).toEqual(['message_started', 'assistant_text', 'message_finished', 'cost', 'done'])
  expect(ofType(events, 'done')[0]?.transcript).toHaveLength(1)
})

test('Unicode line separators are content', () => {
  const text = 'one\u2028two\u2029three\u0085four'
  const bytes = readFrames('line-separators')
    .map(frame => `${JSON.stringify(frame)}\n`)
    .join('')
  expect(ofType(replay([Buffer.from(bytes)]).events, 'done')).toMatchObject([{ response: text }])
})

test('a line of 5 MB is translated like any other', () => {
  const output = 'x\u2028'.repeat(1_250_000)
  const frame = { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't', content: output }] } }
  const bytes = Buffer.from(`${JSON.stringify(frame)}\n`)
  expect(bytes.length).toBeGreaterThan(5_000_000)
  const chunks = Array.from({ length: Math.ceil(bytes.length / 4_096) }, (_, at) =>
    bytes.subarray(at * 4_096, (at + 1) * 4_096),
  )
  const [result] = ofType(replay(chunks).events, 'tool_result')
  expect(result?.output === output).toBe(true)
})

describe('a run that ends without a result', () => {
  test('has the streamed text that was not discarded', () => {
    const translator = createTranslator()
    for (const [at, frame] of readFrames('given-up-in-part').slice(0, -4).entries()) translator.frame(frame, at)
    const { response, transcript } = translator.outcome()
    expect(response).toBe('It says content.')
    expect(transcript.map(({ role }) => role)).toEqual(['assistant', 'assistant', 'tool_result', 'assistant'])
    translator.reset()
    expect(translator.outcome()).toEqual({ response: '', transcript: [] })
  })

  test('keeps the last API error until the API answers again', () => {
    const translator = createTranslator()
    translator.frame({ type: 'system', subtype: 'api_retry', error: 'overloaded', error_status: 529 }, 0)
    expect(translator.apiError).toEqual({ error: 'overloaded', type: null, status: 529 })
    translator.frame({ type: 'stream_event', event: { type: 'message_start', message: { id: 'm' } } }, 1)
    expect(translator.apiError).toBeNull()
  })
})

test('the state of a turn ends with the turn, with or without a result', () => {
  for (const end of [{ type: 'result' }, { type: 'system', subtype: 'init' }]) {
    const translator = createTranslator()
    translator.frame({ type: 'assistant', uuid: 'u', message: { id: 'm', content: [{ type: 'text', text: 'x' }] } }, 0)
    expect(translator.outcome()).toMatchObject({ response: 'x', transcript: [{ role: 'assistant' }] })
    translator.frame(end, 1)
    expect(translator.outcome()).toEqual({ response: '', transcript: [] })
    // Messages of an ended turn cannot be replaced, because its frames are forgotten.
    expect(translator.frame({ type: 'assistant', supersedes: ['u'], message: { id: 'n', content: [] } }, 2)).toEqual([
      { type: 'message_started', messageId: 'n' },
    ])
  }
})
