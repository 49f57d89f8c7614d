import { describe, expect, it, onTestFinished } from 'vitest'
import type { Event } from '../../client/sdk/index.ts'
import { durationOption } from '../../client/cli/command/option-values.ts'
import { limitsOf, queuedFor, silence } from '../../client/cli/render/run-facts.ts'
import { terminalSink } from '../../client/cli/screen/sink.ts'
import { createSilence } from '../../client/cli/follow/silence.ts'
import { until } from '../support/until.ts'

it.each([
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h', 3_600_000],
  ['1h30m', 5_400_000],
  ['1m30s', 90_000],
  ['1.5d', 129_600_000],
  ['250ms', 250],
  ['45', 45_000],
])('the duration %s is %i ms', (text, ms) => {
  expect(durationOption(text)).toBe(ms)
})

it.each(['', '0', '0s', '-1s', '10 m', '1w', 'x', '1m30', 'm', '1.2.3s'])('%j is not a duration', text => {
  expect(() => durationOption(text)).toThrow('expected a duration')
})

describe('the description of a run', () => {
  it.each([
    [9_999, 'silent for 9 s'],
    [40_000, 'silent for 40 s'],
    [61_000, 'silent for 1 min'],
    [3_599_000, 'silent for 59 min'],
    [7_260_000, 'silent for 2 h 1 min'],
  ])('names a silence of %i ms', (ms, words) => {
    expect(silence(ms)).toBe(words)
  })

  it('names its position in the queue and what it waits for', () => {
    expect(queuedFor({ position: 0, waitingFor: 'memory' })).toBe('next in its queue, waits for free memory')
    expect(queuedFor({ position: 2, waitingFor: 'session' })).toBe(
      'number 3 in its queue, waits for an earlier run of its session',
    )
    expect(queuedFor({ position: 0 })).toBe('next in its queue')
    expect(queuedFor({ position: null })).toBe('')
  })

  it('lists its limits', () => {
    const limits = { timeoutMs: 600_000, inactivityMs: 90_000, maxTurns: 1, maxBudgetUsd: 0.5 }
    expect(limitsOf({ limits })).toBe(
      'at most 10 min 0 s, silent for at most 1 min 30 s, at most 1 turn, at most $0.50',
    )
    expect(limitsOf({})).toBe('')
  })
})

describe('silence on a terminal', () => {
  const event = (type: string, time: number, fields: object = {}) =>
    ({ seq: 1, run: 'r_1', type, time, ...fields }) as Event
  const listen = (time: number) => {
    const said: string[] = []
    const silenceOf = createSilence(text => void said.push(text), { now: () => time, againMs: 1 })
    onTestFinished(() => silenceOf.end())
    return { said, heard: silenceOf.heard }
  }

  it('is reported repeatedly while a run continues', async () => {
    const { said, heard } = listen(50_000)
    heard(event('run_started', 10_000))
    await until(() => expect(said.slice(0, 2)).toEqual(['silent for 40 s', 'silent for 40 s']))
  })

  it.each<[string, Event[]]>([
    ['a short silence', [event('run_started', 45_000)]],
    ['an ended run', [event('run_started', 1), event('done', 2)]],
    ['a run that waits for an answer', [event('run_started', 1), event('approval_requested', 2, { approval: 'a_1' })]],
  ])('is not reported for %s', async (_title, events) => {
    const { said, heard } = listen(50_000)
    for (const each of events) heard(each)
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(said).toEqual([])
  })

  it('is reported again once the approval is resolved', async () => {
    const { said, heard } = listen(50_000)
    heard(event('run_started', 1))
    heard(event('approval_requested', 2, { approval: 'a_1' }))
    heard(event('approval_resolved', 20_000, { approval: 'a_1' }))
    await until(() => expect(said[0]).toBe('silent for 30 s'))
  })

  it('is written behind the cursor without moving it, and erased by the next output', () => {
    let written = ''
    const sink = terminalSink({
      write: text => (written += text),
      columns: () => 80,
      rows: () => 24,
      dim: text => text,
    })
    sink.answer('half a sent')
    sink.quiet('silent for 10 s')
    sink.quiet('silent for 15 s')
    sink.answer('ence\n')
    const word = (text: string) => `\u001b7\u001b[?7l${text}\u001b[?7h\u001b8`
    expect(written).toBe(`half a sent${word('  silent for 10 s')}\u001b[K${word('  silent for 15 s')}\u001b[Kence\n`)
    written = ''
    sink.quiet('silent for 10 s')
    sink.end()
    expect(written).toBe(`${word('silent for 10 s')}\u001b[K`)
  })
})
