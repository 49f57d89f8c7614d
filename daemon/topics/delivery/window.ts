import { limits } from '../../../protocol/limits.ts'

/**
 * Bounds how far a subscription may run ahead of its client's acks: at most `bytes` of event texts are sent and not
 * acknowledged. An event larger than the whole window is sent alone, when nothing else is outstanding; otherwise it
 * could never be sent.
 */
export interface Window {
  /** Bytes that may be sent and not acknowledged. */
  readonly bytes: number
  unackedBytes(): number
  /** How many of the next events, by their sizes in bytes, may be sent now. */
  fitting(sizes: readonly number[]): number
  /** Whether the next event, of a size not yet known, might be sent: there is room, or nothing is outstanding. */
  isOpen(): boolean
  /** Bytes that may still be sent. */
  room(): number
  sent(seq: number, bytes: number): void
  /**
   * The client has consumed everything up to `seq`. Acks are cumulative: repeated, late and backward acks change
   * nothing. An ack ahead of what was sent acknowledges all of it.
   */
  ack(seq: number): void
}

/**
 * Maximum number of records of outstanding events. Further records are merged, which can only release bytes later,
 * never sooner.
 */
const maxRecords = 256

export function createWindow(bytes: number): Window {
  const size = Math.min(bytes, limits.maxWindowBytes)
  let outstanding: { seq: number; bytes: number }[] = []
  let outstandingBytes = 0

  return {
    bytes: size,
    unackedBytes: () => outstandingBytes,
    fitting(sizes) {
      if (outstanding.length === 0 && sizes.length > 0 && sizes[0]! > size) return 1
      let room = size - outstandingBytes
      let count = 0
      while (count < sizes.length && sizes[count]! <= room) room -= sizes[count++]!
      return count
    },
    isOpen: () => outstandingBytes < size || outstanding.length === 0,
    room: () => Math.max(0, size - outstandingBytes),
    sent(seq, sentBytes) {
      outstanding.push({ seq, bytes: sentBytes })
      outstandingBytes += sentBytes
      if (outstanding.length > maxRecords) outstanding = mergedInPairs(outstanding)
    },
    ack(seq) {
      let acked = 0
      while (acked < outstanding.length && outstanding[acked]!.seq <= seq)
        outstandingBytes -= outstanding[acked++]!.bytes
      if (acked > 0) outstanding.splice(0, acked)
    },
  }
}

function mergedInPairs(records: readonly { seq: number; bytes: number }[]): { seq: number; bytes: number }[] {
  const merged = []
  for (let index = 0; index < records.length; index += 2) {
    const [one, two] = [records[index]!, records[index + 1]]
    merged.push(two === undefined ? one : { seq: two.seq, bytes: one.bytes + two.bytes })
  }
  return merged
}
