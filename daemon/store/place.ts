/**
 * Returns an event's key in the table of all events: ordered by session, then by `seq`. Exact for session numbers below
 * 2^21.
 */
export function placeOf(session: number, seq: number): number {
  return session * seqs + seq
}

export function seqOf(place: number): number {
  return place % seqs
}

const seqs = 2 ** 32
