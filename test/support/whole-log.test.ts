import { describe, expect, it } from 'vitest'
import { expectWholeLog, type LogEvent, readLog } from './whole-log.ts'

/** The log of a session with a finished run, a run that was cancelled while queued, and events between them. */
const sound = (): LogEvent[] =>
  [
    { run: 'r_1', type: 'run_queued' },
    { run: 'r_2', type: 'run_queued' },
    { run: 'r_1', type: 'assistant_text', delta: 'Hel' },
    { run: null, type: 'notice' },
    { run: 'r_2', type: 'cancelled' },
    { run: 'r_1', type: 'assistant_text', delta: 'lo' },
    { run: 'r_1', type: 'done' },
    { run: null, type: 'rate_limit' },
  ].map((event, index) => ({ seq: index + 1, time: 1, ...event }))

const without = (events: LogEvent[], seq: number) => events.filter(event => event.seq !== seq)
const renumbered = (events: LogEvent[]) => events.map((event, index) => ({ ...event, seq: index + 1 }))

describe('expectWholeLog', () => {
  it('accepts a complete log, from its first or from a later event', () => {
    expectWholeLog([])
    expectWholeLog(sound(), { log: sound() })
    expectWholeLog(sound().slice(3), { after: 3, log: sound() })
    expectWholeLog(sound().slice(0, 6), { running: ['r_1'] })
  })

  it.each<[string, (events: LogEvent[]) => LogEvent[], RegExp]>([
    ['a dropped event', events => without(events, 3), /expected event 3/],
    ['a dropped first event', events => without(events, 1), /expected event 1/],
    ['a dropped last event', events => without(events, 8), /ends with event 7, the log with 8/],
    ['everything dropped', () => [], /ends with event 0/],
    ['a dropped event whose number was given to the next', events => renumbered(without(events, 3)), /in the log/],
    ['a doubled event', events => events.toSpliced(3, 0, events[2]!), /expected event 4/],
    [
      'a doubled event under a number of its own',
      events => renumbered(events.toSpliced(3, 0, events[2]!)),
      /in the log/,
    ],
    ['events out of order', events => events.toSpliced(2, 2, events[3]!, events[2]!), /expected event 3/],
    [
      'bytes that differ',
      events => events.with(5, { ...events[5]!, delta: 'lO' } as LogEvent),
      /event 6 .* in the log/,
    ],
    [
      'fields in another order',
      events => events.with(0, Object.fromEntries(Object.entries(events[0]!).toReversed()) as unknown as LogEvent),
      /event 1 .* in the log/,
    ],
    ['an event beyond the log', events => [...events, { seq: 9, type: 'notice', run: null }], /in the log nothing/],
    ['a gap', events => events.toSpliced(3, 0, { type: 'gap' }), /expected event 4/],
  ])('fails on %s', (_, planted, fault) => {
    expect(() => expectWholeLog(planted(sound()), { log: sound() })).toThrow(fault)
  })

  // The log has the same fault here: the daemon itself is wrong.
  it.each<[string, (events: LogEvent[]) => LogEvent[], RegExp]>([
    ['a run without a terminal event', events => without(events, 7), /no terminal event of r_1/],
    ['two terminal events', events => events.toSpliced(7, 0, events[6]!), /\(done\) of r_1, which had ended/],
    ['two different terminal events', events => events.with(7, { run: 'r_1', type: 'failed' }), /which had ended/],
    ['an event of a run behind its end', events => events.toSpliced(7, 0, events[2]!), /which had ended/],
  ])('fails on %s', (_, planted, fault) => {
    const log = renumbered(planted(sound()))
    expect(() => expectWholeLog(log, { log })).toThrow(fault)
  })
})

it('readLog reads a log page by page to its head', async () => {
  const events = sound() as { seq: number }[]
  const read = async ({ topic, after }: { topic: string; after: number }) => {
    expect(topic).toBe('session/s_1')
    return { events: events.slice(after, after + 3), head: events.length }
  }
  expect(await readLog(read, 's_1')).toEqual(events)
})
