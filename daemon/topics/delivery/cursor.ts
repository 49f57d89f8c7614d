import type { RecoveryReason } from '../../../protocol/index.ts'

/**
 * The position at which a client wants to start: the oldest kept event, behind the newest one, or after a position that
 * it has reached.
 */
export type Since = 'start' | 'end' | { epoch: string; seq: number }

/**
 * The position at which delivery starts (`after` is the last `seq` that is not sent), and whether the client has
 * everything before it.
 */
export type Placement = { after: number; recovered: true } | { after: number; recovered: false; reason: RecoveryReason }

/**
 * Places a cursor in a log that runs from `first` to `head`. A position that cannot be resumed starts at `first`, with
 * a `reason`.
 */
export function placeCursor(since: Since | undefined, log: { epoch: string; first: number; head: number }): Placement {
  if (since === undefined || since === 'end') return { after: log.head, recovered: true }
  const start = log.first - 1
  if (since === 'start') return { after: start, recovered: true }
  if (since.epoch !== log.epoch) return { after: start, recovered: false, reason: 'epoch_changed' }
  if (since.seq > log.head) return { after: start, recovered: false, reason: 'ahead_of_log' }
  if (since.seq < start) return { after: start, recovered: false, reason: 'trimmed' }
  return { after: since.seq, recovered: true }
}
