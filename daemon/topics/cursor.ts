import type { RecoveryReason } from '../../protocol/index.ts'

/** What a client asks for: everything kept, only what is to come, or to go on after a place it has reached. */
export type Since = 'start' | 'end' | { epoch: string; seq: number }

/** Where delivery starts (`after` is the last `seq` that is not sent), and whether anything is missing before it. */
export type Placement = { after: number; recovered: true } | { after: number; recovered: false; reason: RecoveryReason }

/** Places a cursor in a log that runs from `first` to `head`. What cannot be recovered starts at `first`, and says so. */
export function placeCursor(since: Since | undefined, log: { epoch: string; first: number; head: number }): Placement {
  if (since === undefined || since === 'end') return { after: log.head, recovered: true }
  const start = log.first - 1
  if (since === 'start') return { after: start, recovered: true }
  if (since.epoch !== log.epoch) return { after: start, recovered: false, reason: 'epoch_changed' }
  if (since.seq > log.head) return { after: start, recovered: false, reason: 'ahead_of_log' }
  if (since.seq < start) return { after: start, recovered: false, reason: 'trimmed' }
  return { after: since.seq, recovered: true }
}
