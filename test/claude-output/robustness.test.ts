import * as fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { decodeLine } from '../../daemon/agents/claude/frame.ts'
import { createTranslator } from './support/translator.ts'
import { readControl, readTurn } from '../../daemon/agents/claude/turn.ts'
import { type EventBody, type EventType, events as schemas } from '../../protocol/index.ts'
import { largeRecordings, readRecording, recordedNonce, recordings, replay } from './support/replay.ts'

const small = recordings.filter(name => !largeRecordings.includes(name))
const realFrames = small.flatMap(name => replay([readRecording(name)]).frames)

const checks = new Map(Object.entries(schemas).map(([type, schema]) => [type, Compile(schema)]))

/** The session's own events: a translator never gives one. */
const foreign = new Set<EventType>([
  'run_queued',
  'run_started',
  'cancel_requested',
  'cancelled',
  'interrupted',
  'approval_requested',
  'approval_resolved',
])

/** The events that are none of the protocol's, or not the translator's to give. */
function invalid(events: readonly EventBody[]): EventBody[] {
  return events.filter(event => {
    const whole = Object.assign({ seq: 1, time: 0, run: null }, event)
    return foreign.has(event.type) || !checks.get(event.type)?.Check(whole)
  })
}

describe('the events of every recording are events of the protocol', () => {
  test.each(recordings)('%s', name => {
    expect(invalid(replay([readRecording(name)]).events)).toEqual([])
  })
})

describe('nothing that is printed makes it throw, and everything it gives is an event of the protocol', () => {
  const keys = [...new Set(realFrames.flatMap(keysOf))]
  const strings = [...new Set(realFrames.flatMap(stringsOf))].filter(text => text.length < 60)

  // Values made of the words that frames are made of, so that they get past the first look.
  const word = fc.oneof(fc.constantFrom(...strings), fc.constantFrom('constructor', '__proto__', ''), fc.string())
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      word,
      fc.constantFrom(null, true, false, 0, -1, Number.POSITIVE_INFINITY, 0.5, 1795220973269),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...keys), word), tie('value'), { maxKeys: 8 }),
    ),
  }))

  test('any JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), value), { maxLength: 8 }), frames => {
        expect(translated(frames)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('frames of every type with anything in them', () => {
    const types = [
      ...new Set(realFrames.map(frame => Object(frame).type as string)),
      'tool_progress',
      'rate_limit_event',
      'conversation_reset',
    ]
    const subtypes = [
      ...new Set(realFrames.map(frame => Object(frame).subtype as string | undefined)),
      'compact_boundary',
      'hook_progress',
      'model_refusal_fallback',
      'model_refusal_no_fallback',
    ]
    const event = fc.dictionary(
      fc.constantFrom('type', 'index', 'delta', 'content_block', 'message', 'usage', 'error'),
      value,
    )
    const frame = fc.record(
      {
        type: fc.constantFrom(...types),
        subtype: fc.constantFrom(...subtypes),
        event,
        message: fc.record(
          { id: value, content: fc.oneof(value, fc.array(value)), usage: value, stop_reason: value },
          { requiredKeys: [] },
        ),
        parent_tool_use_id: fc.constantFrom(null, 'toolu_a', 'toolu_b'),
        tool_use_id: value,
        rate_limit_info: value,
        compact_metadata: value,
        patch: value,
        total_cost_usd: value,
        modelUsage: value,
        model_usage_since_last_result: fc.oneof(value, fc.dictionary(word, value)),
        is_error: fc.boolean(),
        terminal_reason: word,
        error: word,
        startup_failure_reason: value,
        supersedes: value,
        uuid: word,
      },
      { requiredKeys: ['type'] },
    )
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), frames => {
        expect(translated(frames)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('real runs whose frames were changed, lost, doubled and put in another order', () => {
    const change = fc.record({ at: fc.nat(), path: fc.array(fc.nat(), { maxLength: 5 }), value })
    const order = fc.array(fc.nat(), { maxLength: 40 })
    fc.assert(
      fc.property(fc.constantFrom(...small), fc.array(change, { maxLength: 6 }), order, (name, changes, moves) => {
        const frames = structuredClone(replay([readRecording(name)]).frames)
        for (const { at, path, value: replacement } of changes) put(frames, [at, ...path], replacement)
        for (const move of moves) {
          const [taken] = frames.splice(move % frames.length, 1)
          if (move % 3 > 0) frames.splice((move * 7) % frames.length, 0, taken)
          if (move % 3 > 1) frames.splice((move * 5) % frames.length, 0, taken)
        }
        expect(translated(frames)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  test('any bytes as a line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        expect(decodeLine(Buffer.from(bytes))).toBeInstanceOf(Array)
      }),
    )
  })

  /** Reads everything there is to read of the frames; gives the events that should not be. */
  function translated(frames: readonly unknown[]): EventBody[] {
    const translator = createTranslator({ costUsd: 1 })
    const events = frames.flatMap((frame, at) => {
      readTurn(frame)
      readControl(frame)
      return translator.frame(frame, at)
    })
    return invalid([...events, { type: 'done', ...translator.outcome(), numTurns: 0, durationMs: 0 }])
  }
})

describe('how the bytes arrive changes nothing', () => {
  const expectations = new Map(small.map(name => [name, replay([readRecording(name)])]))
  const bursts = ['\x1b[?25h', '\x1b[2K\x1b[1G', '\x1b(B', '\x1b]0;claude\x07', '\x1b[?2026l\x1b[<u']
  const strays = ['Warning: no stdin data received in 3s', 'Error: read ECONNRESET', '(node:1) [DEP0040] {"a":1}']

  test('random chunks, CRLF or LF, escape sequences, blank, stray and cut lines between give the same events', () => {
    const disturbance = fc.record({
      at: fc.nat(),
      burst: fc.constantFrom('', ...bursts),
      where: fc.constantFrom('before', 'after', 'within' as const),
      stray: fc.constantFrom('none', 'stray', 'cut', 'blank'),
      text: fc.constantFrom(...strays),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...small),
        fc.constantFrom('\n', '\r\n'),
        fc.array(disturbance, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 50 }),
        (name, newline, disturbances, sizes) => {
          const [stream = '', ...end] = readRecording(name).toString('utf8').split(`\x1e${recordedNonce}`)
          const lines = stream.split(/\r?\n/)
          let strayLines = 0
          for (const { at, burst, where, stray, text } of disturbances) {
            const place = at % lines.length
            const line = lines[place] ?? ''
            if (where === 'before') lines[place] = burst + line
            else if (where === 'after') lines[place] = line + burst
            else {
              const cut = characterStart(line, at % (line.length + 1))
              // A sequence may be put anywhere but into another one.
              if (!line.includes('\x1b')) lines[place] = line.slice(0, cut) + burst + line.slice(cut)
            }
            if (stray === 'none') continue
            const length = 2 + (at % Math.max(line.length - 3, 1))
            const extra =
              { stray: text, blank: '', cut: line.includes('\x1b') ? '' : line.slice(0, length) }[stray] ?? ''
            if (extra !== '') strayLines += 1
            lines.splice(place, 0, extra)
          }
          const bytes = Buffer.from(lines.join(newline) + (end.length > 0 ? `\x1e${recordedNonce}${end.join('')}` : ''))
          const expected = expectations.get(name)!
          const found = replay(chunked(bytes, sizes))
          expect(text(found.events.filter(({ type }) => type !== 'unparsed'))).toBe(text(expected.events))
          expect(found.events.filter(({ type }) => type === 'unparsed')).toHaveLength(strayLines)
          expect(found.exitStatus).toBe(expected.exitStatus)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('60 KB of small deltas read in pieces of 4 KB are those of the whole', () => {
    const bytes = readRecording('manydeltas.partial')
    expect(text(replay(chunked(bytes, [4_096, 1, 13])).events) === text(replay([bytes]).events)).toBe(true)
  })

  const text = (events: readonly EventBody[]) => events.map(event => JSON.stringify(event)).join('\n')

  function* chunked(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
    for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1
      yield Buffer.from(bytes.subarray(start, start + size))
      start += size
    }
  }
})

/** The last place up to `at` that does not stand within a surrogate pair. */
function characterStart(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}

/** Puts a value somewhere into a JSON value, the path taken by counting keys. */
function put(target: unknown, path: readonly number[], value: unknown): void {
  const [step = 0, ...further] = path
  if (typeof target !== 'object' || target === null) return
  const names = Object.keys(target)
  const name = names[step % Math.max(names.length, 1)]
  if (name === undefined) return
  const record = target as Record<string, unknown>
  if (further.length > 0 && typeof record[name] === 'object' && record[name] !== null) put(record[name], further, value)
  else record[name] = value
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Array.isArray(value) ? [] : Object.keys(value)
  return [...own, ...Object.values(value).flatMap(keysOf)]
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}
