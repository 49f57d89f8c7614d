import * as fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { decodeLine } from '../../daemon/agents/claude/frame/frame.ts'
import { createTranslator } from './support/translator.ts'
import { readControl, readTurn } from '../../daemon/agents/claude/facts/turn.ts'
import { type EventBody, type EventType, events as schemas } from '../../protocol/index.ts'
import { largeRecordings, readRecording, recordedNonce, recordings, replay } from './support/replay.ts'

const small = recordings.filter(name => !largeRecordings.includes(name))
const realFrames = small.flatMap(name => replay([readRecording(name)]).frames)

const checks = new Map(Object.entries(schemas).map(([type, schema]) => [type, Compile(schema)]))

/** Events of the session itself, which a translator never emits. */
const foreign = new Set<EventType>([
  'run_queued',
  'run_started',
  'cancel_requested',
  'cancelled',
  'interrupted',
  'approval_requested',
  'approval_resolved',
])

/** Returns the events that do not match the protocol or that a translator must not emit. */
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

describe('the translator never throws and emits only events of the protocol', () => {
  const keys = [...new Set(realFrames.flatMap(keysOf))]
  const strings = [...new Set(realFrames.flatMap(stringsOf))].filter(text => text.length < 60)

  // Values made of words of real frames, so that they pass the first checks.
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

  test('for any JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), value), { maxLength: 8 }), frames => {
        expect(translated(frames)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('for frames of every type with random content', () => {
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

  test('for runs with changed, lost and reordered frames', () => {
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

  test('for any bytes as a line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        expect(decodeLine(Buffer.from(bytes))).toBeInstanceOf(Array)
      }),
    )
  })

  /** Reads the frames with every reader and returns the invalid events. */
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

describe('the events of a recording', () => {
  const expectations = new Map(small.map(name => [name, replay([readRecording(name)])]))
  const bursts = ['\x1b[?25h', '\x1b[2K\x1b[1G', '\x1b(B', '\x1b]0;claude\x07', '\x1b[?2026l\x1b[<u']
  const strays = ['Warning: no stdin data received in 3s', 'Error: read ECONNRESET', '(node:1) [DEP0040] {"a":1}']

  test('are the same with random chunks, CRLF, escape sequences and stray lines', () => {
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
              // A sequence may be inserted anywhere but into another one.
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

  test('are the same for many small deltas that are read in chunks of up to 4 KB', () => {
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

/** Returns the last position up to `at` that is not inside a surrogate pair. */
function characterStart(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}

/** Sets a value inside a JSON value. The path has numbers of keys, modulo how many keys there are. */
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
