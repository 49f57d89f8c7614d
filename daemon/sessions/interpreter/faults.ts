import { passThrowPoint } from '../../hook-points.ts'
import { redact } from '../../log/redact.ts'
import type { Input } from '../machine/input.ts'
import { LineFault } from '../machine/output.ts'

/** An exception in a session's own code, which no output may cause and which may still happen. */
export interface Fault {
  reason: string
  /** The bytes of output that were at work, and the offset behind them. */
  bytes: number
  offset?: number
  /** The output in front of the faulty line, which is applied again. */
  before: Input[]
}

/** What an exception says about the input that was at work. `offset`: the output up to there was applied before. */
export function faultOf(error: unknown, input: Input | undefined, offset: number): Fault {
  if (!(error instanceof LineFault)) return { reason: reasonOf(error), bytes: 0, before: [] }
  const reason = reasonOf(error.cause)
  const end = error.line.offset
  if (input?.input !== 'output') return { reason, bytes: 0, offset: end, before: [] }
  // All frames of a line share its offset, and none of them counts.
  const lines = input.lines.filter(line => line.offset < end)
  const from = lines.at(-1)?.offset ?? offset
  const before = lines.length > 0 ? [{ ...input, lines, offset: from }] : []
  return { reason, bytes: Math.max(0, end - from), offset: end, before }
}

/** A test may make the session fail at a frame of some type. */
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

/** Thrown by the language, not by the store: what is to be stored cannot be turned into text. */
export const isProgramError = (error: unknown): boolean =>
  error instanceof RangeError || error instanceof TypeError || error instanceof ReferenceError

const maxReasonLength = 500

const reasonOf = (error: unknown): string => redact(String(error)).slice(0, maxReasonLength)
