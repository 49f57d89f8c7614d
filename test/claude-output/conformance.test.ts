import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createTranslator } from './support/translator.ts'
import type { EventBody } from '../../protocol/index.ts'
import { fixture, ofType, readRecording, recordings, replay, translate } from './support/replay.ts'

interface Case {
  name: string
  frames: unknown[]
  events: Record<string, unknown>[]
}

const { cases } = JSON.parse(readFileSync(fixture('translator-cases.json'), 'utf8')) as { cases: Case[] }

/** Types whose events must match the case exactly. Events of other types may come in between. */
const strict = new Set(['assistant_text', 'tool_use', 'tool_result', 'cost', 'done', 'failed'])
const said = new Set(['assistant_text', 'tool_use', 'tool_result'])

describe('the cases that any translator must satisfy', () => {
  test.each(cases)('$name', ({ frames, events: expected }) => {
    const translator = createTranslator()
    // Events before a reset are dropped, because the case covers what follows it.
    let all: EventBody[] = []
    for (const [at, frame] of frames.entries()) {
      if (frame === 'RESET') {
        translator.reset()
        all = []
      } else all.push(...translator.frame(frame, at))
    }
    // Complete blocks without stream events also emit text and tools, which the transcript cases do not list.
    const transcriptCase = expected.some(event => 'transcript' in event)
    const events = all.filter(({ type }) => strict.has(type) && !(transcriptCase && said.has(type)))
    expect(events).toHaveLength(expected.length)
    expect(events).toMatchObject(expected)
  })
})

describe('a run with and without partial messages', () => {
  const pairs = recordings.filter(name => recordings.includes(`${name}.partial`))

  test('was recorded in 17 pairs', () => {
    expect(pairs).toHaveLength(17)
  })

  test.each(pairs)('has the same texts, tools, results and costs: %s', name => {
    expect(essence(`${name}.partial`)).toEqual(essence(name))
  })

  /** Returns texts, tools, results, costs and ends, without ids, times and paths, which differ in any two runs. */
  function essence(name: string): unknown {
    const { events } = replay([readRecording(name)])
    const withdrawn = new Set(ofType(events, 'message_discarded').map(({ messageId }) => messageId))
    const texts = new Map<string, string>()
    for (const { delta, messageId = '', parent } of ofType(events, 'assistant_text'))
      if (!withdrawn.has(messageId)) texts.set(messageId, `${texts.get(messageId) ?? `${parent}: `}${delta}`)
    const thinking = ofType(events, 'thinking')
      .map(({ delta }) => delta)
      .join('')
    const tools = ofType(events, 'tool_use').map(({ toolUseId: _toolUseId, ...tool }) => tool)
    const results = ofType(events, 'tool_result').map(({ toolUseId: _toolUseId, ...result }) => result)
    const ends = events.filter(event => event.type === 'done' || event.type === 'failed')

    const costs = ofType(events, 'cost').map(({ costUsd, runCostUsd, tokens }) => ({ costUsd, runCostUsd, tokens }))
    const found = { texts: [...texts.values()], thinking, tools, results, ends, costs }
    return JSON.parse(withoutIds(JSON.stringify(found)))
  }

  function withoutIds(text: string): string {
    return text
      .replace(/(msg|toolu|req)_fake\d+/g, '$1')
      .replace(/"(timestampMs|durationMs)":\d+/g, '"$1":0')
      .replace(/home-rec-31347-\d+/g, 'home')
      .replace(/127\.0\.0\.1:\d+/g, 'gateway')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, 'uuid')
      .replace(/(tasks\/|ID: |agentId: ?|"agentId":"|"backgroundTaskId":"|to: ')[a-z0-9]{9,17}/g, '$1task')
      .replace(/(?<=duration_ms: |"totalDurationMs":)\d+/g, '0')
  }
})

test('a translator with an initial session id and cost continues from them', () => {
  const frames = [{ type: 'result', session_id: 'b', total_cost_usd: 0.75, result: '' }]
  const events = translate(frames, { claudeSessionId: 'a', costUsd: 0.5 })
  expect(events).toMatchObject([
    { type: 'claude_session_changed', from: 'a', to: 'b', reason: 'new_session_id' },
    { type: 'cost', costUsd: 0.75, runCostUsd: 0.25 },
    { type: 'done' },
  ])
})
