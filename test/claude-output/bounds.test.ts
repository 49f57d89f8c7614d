import { describe, expect, it } from 'vitest'
import { decodeLine } from '../../daemon/agents/claude/frame/frame.ts'
import { createTranslator } from './support/translator.ts'
import type { EventBody } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const decode = (text: string) => decodeLine(Buffer.from(text))
const unparsed = (reason: string) => [{ unparsed: expect.objectContaining({ reason }) as unknown }]

describe('the nesting of a line', () => {
  it('may reach maxFrameDepth, but not exceed it', () => {
    const frameOf = (levels: number) => `{"type":"user","a":${nested(levels - 1)}}`
    expect(decode(frameOf(limits.maxFrameDepth))).toMatchObject([{ frame: { type: 'user' } }])
    expect(decode(frameOf(limits.maxFrameDepth + 1))).toEqual(unparsed('too_deep'))
  })

  it.each([
    ['a deep frame', `{"type":"user","a":${nested(4_200)}}`],
    ['millions of open brackets', '{"type":"user","a":'.repeat(1_000_000)],
    ['a deep frame behind text', `Warning: ${'x'.repeat(2_000)} {"type":"user","a":${nested(4_200)}}`],
    ['a deep frame within escape sequences', `\u001b[2K{"type":"user","a":${nested(4_200)}}\u001b[0m`],
    ['deep JSON that is not a frame', nested(100_000)],
  ])('above the bound makes the line unparsed: %s', (_what, text) => {
    expect(decode(text)).toEqual(unparsed('too_deep'))
  })

  it('does not count brackets in strings or in escape sequences around a frame', () => {
    const text = JSON.stringify({ type: 'user', text: '[{"\\'.repeat(5_000) })
    expect(decode(text)).toEqual([{ frame: JSON.parse(text) as unknown }])
    expect(decode('\u001b[2K\u001b[1G'.repeat(2_000) + text)).toEqual([{ frame: JSON.parse(text) as unknown }])
  })

  it('of a streamed tool input above the bound leaves the input as text', () => {
    const json = `{"a":${nested(4_200)}}`
    const event = (fields: object) => ({ type: 'stream_event', event: { index: 0, ...fields } })
    const use = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }
    const events = translated([
      event({ type: 'message_start', message: { id: 'msg_1' } }),
      event({ type: 'content_block_start', content_block: use }),
      event({ type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: json } }),
      event({ type: 'content_block_stop' }),
    ])
    expect(events.at(-1)).toMatchObject({ type: 'tool_use', input: json })
    expect(JSON.stringify(events)).toContain('tool_use')
  })
})

describe('the number of values of a line', () => {
  it.each([
    ['values', `{"type":"user","a":[${'0,'.repeat(limits.maxFrameValues)}0]}`],
    [
      'content blocks',
      JSON.stringify({
        type: 'user',
        message: { content: Array.from({ length: limits.maxFrameBlocks + 1 }, () => 0) },
      }),
    ],
  ])('above the bound makes the line unparsed: %s', (_what, text) => {
    expect(decode(text)).toEqual(unparsed('too_many_values'))
  })

  it('may reach the bound of content blocks', () => {
    const content = Array.from({ length: limits.maxFrameBlocks }, () => ({
      type: 'tool_result',
      tool_use_id: 'toolu_1',
    }))
    const [decoded] = decode(JSON.stringify({ type: 'user', message: { content } }))
    const { frame } = decoded as { frame: unknown }
    expect(translated([frame]).filter(({ type }) => type === 'tool_result')).toHaveLength(limits.maxFrameBlocks)
  })
})

describe('an impossible number', () => {
  const result = (fields: object) => ({ type: 'result', subtype: 'success', result: '', ...fields })
  const absurd = ['1e308', '1e999', '-1e308', '-1', '1e10']

  it.each(absurd)('counts as missing in a cost: %s', number => {
    const frame = JSON.parse(
      `{"type":"result","total_cost_usd":${number},"modelUsage":{"m":{"costUSD":${number},"inputTokens":${number}}},
        "model_usage_since_last_result":{"m":{"costUSD":${number}}}}`,
    ) as object
    const [cost] = translated([frame])
    expect(cost).toMatchObject({ type: 'cost', costUsd: 0, runCostUsd: 0 })
    expect(translated([frame, result({ total_cost_usd: 0.5 })]).filter(({ type }) => type === 'cost')[1]).toMatchObject(
      {
        costUsd: 0.5,
      },
    )
  })

  it.each(['1e308', '-1', '0.5', '9007199254740993'])('counts as 0 in tokens: %s', number => {
    const usage = JSON.parse(`{"input_tokens":${number},"output_tokens":7}`) as object
    expect(translated([result({ usage })])[0]).toMatchObject({ tokens: { input: 0, output: 7 } })
  })

  it('counts as 0 in durations and is omitted as a reset time', () => {
    const events = translated([
      { type: 'tool_progress', tool_use_id: 't', elapsed_time_seconds: 1e308 },
      { type: 'tool_progress', tool_use_id: 't', elapsed_time_seconds: -4 },
      { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1e14 } },
      result({ duration_ms: 1e308 }),
    ])
    expect(events).toMatchObject([
      { elapsedMs: 0 },
      { elapsedMs: 0 },
      { status: 'rejected' },
      { type: 'cost' },
      { durationMs: 0 },
    ])
    expect(events[2]).not.toHaveProperty('resetsAt')
  })
})

describe('a turn above the size bounds', () => {
  const big = 'x'.repeat(6 * 1024 * 1024)
  const toolResult = (content: string) => ({
    type: 'user',
    message: { content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }] },
  })
  const event = (fields: object, more: object = {}) => ({
    type: 'stream_event',
    event: { index: 0, ...fields },
    ...more,
  })
  const delta = (text: string, more: object = {}) =>
    event({ type: 'content_block_delta', delta: { type: 'text_delta', text } }, more)
  const result = { type: 'result', subtype: 'success' }
  const doneOf = (events: EventBody[]) => {
    const done = events.at(-1)
    if (done?.type !== 'done') throw new Error(`the turn ended with ${done?.type}`)
    return done
  }

  it('omits the oldest of over 512 MB of tool results and reports the cut', () => {
    const events = translated([...Array.from({ length: 110 }, () => toolResult(big)), toolResult('the last'), result])
    expect(events.filter(({ type }) => type === 'tool_result')).toHaveLength(111)
    const done = doneOf(events)
    expect(JSON.stringify(done).length).toBeLessThan(limits.maxTranscriptLength * 1.1)
    expect(done.transcript).toHaveLength(3)
    expect(done.transcript.at(-1)?.content).toMatchObject({ content: 'the last' })
    expect(done.transcriptCut?.entries).toBe(108)
    expect(done.transcriptCut?.characters).toBeGreaterThan(108 * big.length)
  })

  it('omits the oldest entries above maxTranscriptEntries from its transcript', () => {
    const many = limits.maxTranscriptEntries + 5
    const done = doneOf(translated([...Array.from({ length: many }, (_, at) => toolResult(String(at))), result]))
    expect(done.transcript).toHaveLength(limits.maxTranscriptEntries)
    expect(done.transcript[0]?.content).toMatchObject({ content: '5' })
    expect(done.transcriptCut?.entries).toBe(5)
  })

  it.each([
    ['of the main lane', {}],
    ['of a sub-agent', { parent_tool_use_id: 'toolu_agent' }],
  ])('bounds over 512 MB of text in one block %s, and emits all its deltas', (_which, more) => {
    const start = event({ type: 'message_start', message: { id: 'msg_1' } }, more)
    const events = translated([start, ...Array.from({ length: 100 }, () => delta(big, more)), result])
    expect(events.filter(({ type }) => type === 'assistant_text')).toHaveLength(100)
    expect(JSON.stringify(doneOf(events)).length).toBeLessThan(limits.maxTranscriptLength * 1.5)
  })

  it('keeps the beginning of a response that is too long and reports the cut', () => {
    const done = doneOf(translated([{ ...result, result: `${big}!` }]))
    expect(done.response).toBe(big.slice(0, limits.maxResponseLength))
    expect(done.responseCut).toEqual({ characters: big.length + 1 - limits.maxResponseLength })
  })

  it('keeps the response of the last message after a transcript that is too long', () => {
    const message = { id: 'msg_1', content: [{ type: 'text', text: 'the answer' }] }
    const done = doneOf(
      translated([...Array.from({ length: 4 }, () => toolResult(big)), { type: 'assistant', message }, result]),
    )
    expect(done.response).toBe('the answer')
    expect(done).not.toHaveProperty('responseCut')
  })

  it('emits text once that is streamed beyond the bound and then sent whole', () => {
    const parts = Array.from({ length: 4 }, (_, at) => String(at).repeat(6 * 1024 * 1024))
    const whole = `${parts.join('')} and more`
    const events = translated([
      event({ type: 'message_start', message: { id: 'msg_1' } }),
      ...parts.map(part => delta(part)),
      { type: 'assistant', message: { id: 'msg_1', content: [{ type: 'text', text: whole }] } },
      result,
    ])
    const text = events.flatMap(each => (each.type === 'assistant_text' ? each.delta : [])).join('')
    expect(text === whole).toBe(true)
  })

  it('emits a tool input once that is streamed beyond the bound and then sent whole', () => {
    const use = { type: 'tool_use', id: 'toolu_1', name: 'Write', input: {} }
    const input = { content: big.repeat(3) }
    const json = JSON.stringify(input)
    const pieces = [json.slice(0, 9_000_000), json.slice(9_000_000)]
    const events = translated([
      event({ type: 'message_start', message: { id: 'msg_1' } }),
      event({ type: 'content_block_start', content_block: use }),
      ...pieces.map(piece =>
        event({ type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: piece } }),
      ),
      event({ type: 'content_block_stop' }),
      { type: 'assistant', message: { id: 'msg_1', content: [{ ...use, input }] } },
      result,
    ])
    const uses = events.filter(each => each.type === 'tool_use')
    expect(uses).toHaveLength(1)
    expect(JSON.stringify(uses[0]?.input) === json).toBe(true)
  })
})

function translated(frames: readonly unknown[]): EventBody[] {
  const translator = createTranslator()
  return frames.flatMap((frame, at) => translator.frame(frame, at))
}
