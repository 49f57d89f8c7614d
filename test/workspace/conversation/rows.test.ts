import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../../client/sdk/browser.ts'
import { createRows, type Row } from '../../../client/workspace/conversation/list/rows.ts'
import { createTranscript } from '../../../client/workspace/conversation/model/transcript.ts'

const message = fc.constantFrom('m1', 'm2', 'm3')
const tool = fc.constantFrom('t1', 't2', 't3', 't4')
// Two of the tools have sub-agents. The second one runs inside the first.
const parent = fc.constantFrom(undefined, undefined, 't1', 't2')
const typed = (type: string, fields: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constant(type), ...fields })

const anything = fc.oneof(
  typed('message_started', { messageId: message, parent }),
  typed('message_finished', { messageId: message, parent }),
  typed('message_discarded', { messageId: message }),
  typed('assistant_text', { messageId: message, delta: fc.constantFrom('a', 'b\n\n', '```\n'), parent }),
  typed('thinking', { messageId: message, delta: fc.constant('hm'), parent }),
  typed('tool_started', { toolUseId: fc.constant('t1'), tool: fc.constant('Agent') }),
  typed('tool_started', { toolUseId: fc.constant('t2'), tool: fc.constant('Agent'), parent: fc.constant('t1') }),
  typed('tool_started', { toolUseId: fc.constantFrom('t3', 't4'), tool: fc.constant('Bash'), parent }),
  typed('tool_result', { toolUseId: tool, tool: fc.constant('Bash'), output: fc.constant('x') }),
  typed('api_retry', { attempt: fc.nat(9), maxRetries: fc.constant(9), delayMs: fc.constant(1) }),
  typed('done'),
)
/** The events of a log. `asked` marks the events before which the rows are read. */
const logs = fc
  .array(fc.tuple(anything, fc.boolean()), { maxLength: 60 })
  .map(entries =>
    entries.map(([body, asked], index) => ({ event: { ...body, seq: index + 1, time: 0, run: 'r' } as Event, asked })),
  )

const told = (rows: readonly Row[]) => rows.map(({ key, depth, block, version }) => ({ key, depth, block, version }))

describe('the rows of a transcript that is being written', () => {
  it('equal the rows of one pass over the whole transcript', () => {
    fc.assert(
      fc.property(logs, log => {
        const transcript = createTranscript()
        const rowsOf = createRows()
        const opened = new Map()
        for (const { event, asked } of log) {
          if (asked) rowsOf(transcript, opened)
          transcript.add(event)
        }
        expect(told(rowsOf(transcript, opened))).toEqual(told(createRows()(transcript, opened)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('stay the same objects up to the first change, and the same list without a change', () => {
    const transcript = createTranscript()
    const rowsOf = createRows()
    const opened = new Map()
    const add = (seq: number, toolUseId: string) =>
      transcript.add({ type: 'tool_started', tool: 'Bash', toolUseId, seq, time: 0, run: 'r' })
    for (let seq = 1; seq <= 100; seq++) add(seq, `t${seq}`)
    const before = rowsOf(transcript, opened)
    expect(rowsOf(transcript, opened)).toBe(before)
    add(101, 't60')
    add(102, 't102')
    const after = rowsOf(transcript, opened)
    expect(after.findIndex((row, index) => row !== before[index])).toBe(59)
    expect(after.length).toBe(101)
  })
})
