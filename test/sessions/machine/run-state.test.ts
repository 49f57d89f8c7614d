import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunState } from '../../../protocol/index.ts'
import { isEnded, nextRunState, type RunInput } from '../../../daemon/sessions/machine/fold/run-state.ts'

const inputs: RunInput[] = [
  'started',
  'cancel_requested',
  'limit_reached',
  'turn_done',
  'turn_failed',
  'process_ended',
  'refused',
  'lost',
]

describe('the life of a run', () => {
  it.each<[string, RunInput[], RunState]>([
    ['is done when its turn ends well', ['started', 'turn_done'], 'done'],
    ['fails when its turn fails', ['started', 'turn_failed'], 'failed'],
    ['fails when the process ends without a result', ['started', 'process_ended'], 'failed'],
    ['is cancelled at once while it is queued', ['cancel_requested'], 'cancelled'],
    ['is not cancelled by the request alone', ['started', 'cancel_requested'], 'cancelling'],
    ['is cancelled when the turn is over', ['started', 'cancel_requested', 'turn_failed'], 'cancelled'],
    ['is cancelled when the process is over', ['started', 'cancel_requested', 'process_ended'], 'cancelled'],
    ['is done when the request came too late', ['started', 'cancel_requested', 'turn_done'], 'done'],
    ['is interrupted when the daemon is lost, queued or not', ['lost'], 'interrupted'],
    ['is interrupted when the daemon is lost while cancelling', ['started', 'cancel_requested', 'lost'], 'interrupted'],
    ['fails when muxd cannot go on with it', ['started', 'refused'], 'failed'],
    ['ignores a second result', ['started', 'turn_done', 'turn_failed'], 'done'],
    ['ignores a result while it is queued', ['turn_done'], 'queued'],
  ])('%s', (_title, given, expected) => {
    expect(given.reduce<RunState>((state, input) => nextRunState(state, input), 'queued')).toBe(expected)
  })

  it('never leaves a terminal state, and reaches one at most once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inputs)), given => {
        let state: RunState = 'queued'
        let ends = 0
        for (const input of given) {
          const before: RunState = state
          state = nextRunState(before, input)
          if (isEnded(before)) expect(state).toBe(before)
          else if (isEnded(state)) ends += 1
        }
        expect(ends).toBe(isEnded(state) ? 1 : 0)
      }),
    )
  })
})
