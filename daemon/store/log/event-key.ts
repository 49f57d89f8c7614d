/**
 * Returns the key of an event in the table of all events (its column `place`), which orders events by session, then by
 * `seq`. Exact for session numbers below 2^21.
 */
export function eventKey(session: number, seq: number): number {
  return session * seqs + seq
}

export function seqOf(key: number): number {
  return key % seqs
}

const seqs = 2 ** 32
