import { deserialize } from 'node:v8'
import { expect, it } from 'vitest'
import { claude } from '../../../daemon/agents/claude/agent.ts'
import type { SessionState } from '../../../daemon/sessions/machine/fold/state.ts'
import { createSnapshots } from '../../../daemon/sessions/recovery/snapshots.ts'
import { foldedSession } from '../../support/folded-session.ts'

/** Prints texts of the given lengths, one line each. Returns the offset of the last snapshot after each line. */
function say(...lengths: number[]) {
  const session = foldedSession()
  const snapshots = createSnapshots(claude, 1)
  let offset = 0
  let last: number | undefined
  return lengths.map((length, index) => {
    const content = [{ type: 'text', text: 'x'.repeat(length) }]
    const frame = { type: 'assistant', uuid: `u_${index}`, message: { id: `m_${index}`, content } }
    offset += length
    session.line({ frame, offset, time: offset })
    last = snapshots.take(session.state, { lines: 1, acts: 0, begun: false })?.offset ?? last
    return last
  })
}

it('takes a snapshot when the output since the last one is as large as that snapshot', () => {
  expect(say(10_000, 10_000, 12_000)).toEqual([10_000, 10_000, 32_000])
})

it('stores no snapshot above 4 MiB, and keeps the last smaller one', () => {
  expect(say(1_000_000, 5_000_000, 7_000_000)).toEqual([1_000_000, 1_000_000, 1_000_000])
})

it('takes a snapshot when a process begins, and after 10,000 acts', () => {
  const { state } = foldedSession()
  const snapshots = createSnapshots(claude)
  const begun = snapshots.take(state, { lines: 0, acts: 1, begun: true })
  expect(begun).toMatchObject({ process: 'p_1', offset: 0, seq: state.head, acts: 1 })
  expect(deserialize(begun!.memory) as SessionState).toEqual(state)
  expect(snapshots.take(state, { lines: 0, acts: 9_999, begun: false })).toBeUndefined()
  expect(snapshots.take(state, { lines: 0, acts: 1, begun: false })).toBeDefined()
})

it('takes a snapshot at once if a restart found none, and counts the output that it read again', () => {
  const { state } = foldedSession()
  const missing = createSnapshots(claude)
  missing.resume(state, { lines: 0, bytes: 0 }, true)
  expect(missing.take(state, { lines: 0, acts: 0, begun: false })).toBeDefined()
  const reread = createSnapshots(claude)
  reread.resume(state, { lines: 1_999, bytes: 0 }, false)
  expect(reread.take(state, { lines: 1, acts: 0, begun: false })).toBeDefined()
})
