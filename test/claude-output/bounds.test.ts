import { describe, expect, it } from 'vitest'
import { decodeLine } from '../../daemon/claude/frame.ts'
import { createTranslator } from '../../daemon/claude/translate/index.ts'
import type { EventBody } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const decode = (text: string) => decodeLine(Buffer.from(text))
const unparsed = (reason: string) => [{ unparsed: expect.objectContaining({ reason }) as unknown }]

describe('the nesting of a line', () => {
  it('may reach the bound, and no level more', () => {
    const frameOf = (levels: number) => `{"type":"user","a":${nested(levels - 1)}}`
    expect(decode(frameOf(limits.maxFrameDepth))).toMatchObject([{ frame: { type: 'user' } }])
    expect(decode(frameOf(limits.maxFrameDepth + 1))).toEqual(unparsed('too_deep'))
  })

  it.each([
    ['a deep frame', `{"type":"user","a":${nested(4_200)}}`],
    ['millions of open brackets', '{"type":"user","a":'.repeat(1_000_000)],
    ['a deep frame behind text', `Warning: ${'x'.repeat(2_000)} {"type":"user","a":${nested(4_200)}}`],
    ['a deep frame within escape sequences', `\u001b[2K{"type":"user","a":${nested(4_200)}}\u001b[0m`],
    ['deep JSON that is no frame', nested(100_000)],
  ])('over the bound is unparsed: %s', (_what, text) => {
    expect(decode(text)).toEqual(unparsed('too_deep'))
  })

  it('does not count brackets in strings or in escape sequences around a frame', () => {
    const text = JSON.stringify({ type: 'user', text: '[{"\\'.repeat(5_000) })
    expect(decode(text)).toEqual([{ frame: JSON.parse(text) as unknown }])
    expect(decode('\u001b[2K\u001b[1G'.repeat(2_000) + text)).toEqual([{ frame: JSON.parse(text) as unknown }])
  })

  it('of a streamed tool input over the bound leaves the input its text', () => {
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
  ])('over the bound is unparsed: %s', (_what, text) => {
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

describe('a number that cannot be what it stands for', () => {
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

  it.each(['1e308', '-1', '0.5', '9007199254740993'])('counts as none in tokens: %s', number => {
    const usage = JSON.parse(`{"input_tokens":${number},"output_tokens":7}`) as object
    expect(translated([result({ usage })])[0]).toMatchObject({ tokens: { input: 0, output: 7 } })
  })

  it('is left out of times', () => {
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

function translated(frames: readonly unknown[]): EventBody[] {
  const translator = createTranslator()
  return frames.flatMap((frame, at) => translator.frame(frame, at))
}
