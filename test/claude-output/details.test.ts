import { describe, expect, test } from 'vitest'
import { createTranslator } from './support/translator.ts'
import { ofType, translate } from './support/replay.ts'

/** Single rules of the translator, each with as few frames as possible. */
const start = (id: string, usage: object = {}) => stream({ type: 'message_start', message: { id, usage } })
const stream = (event: object) => ({ type: 'stream_event', event })
const text = (index: number, words: string) =>
  stream({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: words } })
const assistant = (id: string, ...content: object[]) => ({ type: 'assistant', message: { id, content } })
const result = (fields: object = {}) => ({ type: 'result', ...fields })

describe('blocks', () => {
  test('of one message are distinguished by index, in any order of their deltas', () => {
    const events = translate([start('m'), text(0, 'a'), text(1, 'b'), text(0, 'A'), text(1, 'B'), result()])
    expect(ofType(events, 'assistant_text').map(({ index, delta }) => [index, delta])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [0, 'A'],
      [1, 'B'],
    ])
    expect(ofType(events, 'done')[0]).toMatchObject({
      response: 'aAbB',
      transcript: [{ content: [{ text: 'aA' }] }, { content: [{ text: 'bB' }] }],
    })
  })

  test('that are streamed one by one and repeated in one complete frame are one entry of the transcript', () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]
    const events = translate([start('m'), text(0, 'a'), text(1, 'b'), assistant('m', ...content), result()])
    expect(ofType(events, 'assistant_text')).toHaveLength(2)
    expect(ofType(events, 'done')[0]?.transcript).toEqual([{ role: 'assistant', content, timestampMs: 4 }])
  })

  test('of an unknown type become a notice with their complete frame if nothing was streamed', () => {
    const frame = assistant('m', { type: 'text', text: 'a' }, { type: 'brand_new', data: 1 })
    const events = translate([frame])
    expect(ofType(events, 'notice')).toEqual([{ type: 'notice', kind: 'assistant', frame }])
    expect(ofType(events, 'assistant_text')).toHaveLength(1)
  })

  test('of an unknown type become one notice if they were streamed', () => {
    const block = { type: 'brand_new', data: 1 }
    const begin = stream({ type: 'content_block_start', index: 0, content_block: block })
    expect(ofType(translate([start('m'), begin, assistant('m', block)]), 'notice')).toEqual([
      { type: 'notice', kind: 'stream_event/content_block_start', frame: begin },
    ])
  })
})

test('a streamed tool input that is not JSON is kept as text, also if the complete frame has an empty input', () => {
  const use = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }
  const begin = stream({ type: 'content_block_start', index: 0, content_block: use })
  const piece = (json: string) =>
    stream({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: json } })
  const inputs = (json: string) =>
    ofType(translate([start('m'), begin, piece(json), assistant('m', use)]), 'tool_use').map(({ input }) => input)
  expect(inputs('{"command": "echo')).toEqual(['{"command": "echo'])
  expect(inputs('{}')).toEqual([{}])
})

test('an unknown API error fails the run as network after a retry without a status, else as unknown', () => {
  const retry = { type: 'system', subtype: 'api_retry', attempt: 1, error_status: null, error: 'unknown' }
  const words = 'API Error: Unable to connect to API (ECONNRESET)'
  const gaveUp = { ...assistant('m', { type: 'text', text: words }), error: 'unknown' }
  const end = result({ is_error: true, api_error_status: null, terminal_reason: 'completed', result: words })
  const codeOf = (frames: object[]) => ofType(translate(frames), 'failed')[0]?.failure.code
  expect(codeOf([retry, gaveUp, end])).toBe('network')
  expect(codeOf([gaveUp, end])).toBe('unknown')
})

test('token counts that a later event omits or sets to null keep their value', () => {
  const delta = {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn' },
    usage: { input_tokens: null, output_tokens: 9 },
  }
  const events = translate([
    start('m', { input_tokens: 5, output_tokens: 1 }),
    stream(delta),
    stream({ type: 'message_stop' }),
  ])
  expect(ofType(events, 'message_finished')).toEqual([
    {
      type: 'message_finished',
      messageId: 'm',
      stopReason: 'end_turn',
      usage: { input: 5, output: 9, cacheCreation: 0, cacheRead: 0 },
    },
  ])
})

describe('the cost', () => {
  const costs = (...totals: (number | null | undefined)[]) =>
    ofType(
      translate(
        totals.map(total => result(total === undefined ? {} : { total_cost_usd: total })),
        { costUsd: 1 },
      ),
      'cost',
    ).map(({ costUsd, runCostUsd }) => [costUsd, runCostUsd])

  test('is cumulative, and each run has its share', () => {
    expect(costs(1.25, 1.5)).toEqual([
      [1.25, 0.25],
      [1.5, 0.25],
    ])
  })

  test('continues if the counter restarts without notice', () => {
    expect(costs(1.25, 0.5, 0.75)).toEqual([
      [1.25, 0.25],
      [1.75, 0.5],
      [2, 0.25],
    ])
  })

  test.each([
    ['carries zero', 0],
    ['carries null', null],
    ['carries no cost', undefined],
  ])('is not lost by a result that %s', (_, total) => {
    expect(costs(1.25, total, 1.5)).toEqual([
      [1.25, 0.25],
      [1.25, 0],
      [1.5, 0.25],
    ])
  })

  test('continues in the next process, also if the counter is below the cost after a reset', () => {
    const translator = createTranslator({ costUsd: 5, counterUsd: 2 })
    const [cost] = ofType(translator.frame(result({ total_cost_usd: 2.5 }), 0), 'cost')
    expect(cost).toMatchObject({ costUsd: 5.5, runCostUsd: 0.5 })
    expect([translator.costUsd, translator.counterUsd]).toEqual([5.5, 2.5])
  })
})

describe('user frames', () => {
  const results = [
    { type: 'tool_result', tool_use_id: 'a', content: 'x' },
    { type: 'tool_result', tool_use_id: 'b', content: 'y' },
  ]

  test('with several results emit each of them, and a notice with the details, whose owner is unknown', () => {
    const frame = { type: 'user', message: { content: results }, tool_use_result: { stdout: 'x' } }
    expect(translate([frame])).toEqual([
      { type: 'tool_result', toolUseId: 'a', output: 'x', isError: false },
      { type: 'tool_result', toolUseId: 'b', output: 'y', isError: false },
      { type: 'notice', kind: 'user', frame },
    ])
  })

  test('that replay earlier messages emit user_message and are not in the transcript', () => {
    const events = translate([{ type: 'user', isReplay: true, message: { content: 'again' } }, result()])
    expect(ofType(events, 'user_message')).toMatchObject([{ text: 'again', replay: true }])
    expect(ofType(events, 'done')[0]?.transcript).toEqual([])
  })
})

test('a reset forgets the tasks, so that their lanes end with the turn', () => {
  const translator = createTranslator()
  translator.frame({ type: 'system', subtype: 'task_started', task_id: 't', tool_use_id: 'agent' }, 0)
  translator.reset()
  const call = { ...assistant('s', { type: 'tool_use', id: 'tool', name: 'Bash' }), parent_tool_use_id: 'agent' }
  translator.frame(call, 1)
  translator.frame(result(), 2)
  const content = [{ type: 'tool_result', tool_use_id: 'tool' }]
  expect(translator.frame({ type: 'user', parent_tool_use_id: 'agent', message: { content } }, 3)).toEqual([
    { type: 'tool_result', toolUseId: 'tool', output: '', isError: false, parent: 'agent' },
  ])
})

test('the session id is the first one in a frame, then the latest', () => {
  const translator = createTranslator()
  expect(translator.frame({ type: 'keep_alive' }, 0)).toEqual([])
  expect(translator.claudeSessionId).toBeNull()
  expect(translator.frame({ type: 'command_lifecycle', session_id: 'a' }, 1)).toEqual([])
  expect(translator.claudeSessionId).toBe('a')
  expect(translator.frame({ type: 'command_lifecycle', session_id: 'b' }, 2)).toEqual([
    { type: 'claude_session_changed', from: 'a', to: 'b', reason: 'new_session_id' },
  ])
  expect(translator.claudeSessionId).toBe('b')
})
