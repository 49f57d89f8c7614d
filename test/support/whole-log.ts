import { expect } from 'vitest'
import { terminalTypes } from '../../protocol/events.ts'

/**
 * What every subscriber of a session must have got: `seq` contiguous from 1, no event twice, exactly one terminal event
 * for each run that has ended, and nothing of a run behind it.
 */
export function expectWholeLog(events: { seq: number; type: string; run: string | null }[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1))
  const ended = new Set<string>()
  for (const { type, run, seq } of events) {
    if (run === null) continue
    expect(ended.has(run), `event ${seq} (${type}) of ${run}, which had ended`).toBe(false)
    if ((terminalTypes as readonly string[]).includes(type)) ended.add(run)
  }
}
