import { passThrowPoint } from '../../hook-points.ts'
import { redact } from '../../log/redact.ts'
import type { Input } from '../machine/input.ts'
import { LineFault } from '../machine/fold/output.ts'

/** An exception in muxd's own code while a session was taking an input. It is a bug, whatever the input was. */
export interface Fault {
  reason: string
  /** The length of the output that was being applied, and the raw log offset behind it. */
  bytes: number
  offset?: number
  /** The output in front of the faulty line, which is applied again. */
  before: Input[]
}

/**
 * Describes an exception while `input` was taken. `offset`: the raw log offset up to which output was applied before.
 */
export function faultOf(error: unknown, input: Input | undefined, offset: number): Fault {
  if (!(error instanceof LineFault)) return { reason: reasonOf(error), bytes: 0, before: [] }
  const reason = reasonOf(error.cause)
  const end = error.line.offset
  if (input?.input !== 'output') return { reason, bytes: 0, offset: end, before: [] }
  // All frames of a line share its offset. None of the frames of the faulty line counts.
  const lines = input.lines.filter(line => line.offset < end)
  const from = lines.at(-1)?.offset ?? offset
  const before = lines.length > 0 ? [{ ...input, lines, offset: from }] : []
  return { reason, bytes: Math.max(0, end - from), offset: end, before }
}

/** Lets a test make the session fail at frames of a given type. */
export function passThrowPoints(input: Input): void {
  if (input.input !== 'output') return
  for (const line of input.lines) {
    if (!('frame' in line)) continue
    try {
      passThrowPoint('handled', line.frame['type'])
    } catch (error) {
      throw new LineFault(line, error)
    }
  }
}

/** Whether the language has thrown an error, not the store: something in the entry cannot be serialized. */
export const isProgramError = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof TypeError || error instanceof ReferenceError

const maxReasonLength = 500

const reasonOf = (error: unknown): string => redact(String(error)).slice(0, maxReasonLength)
