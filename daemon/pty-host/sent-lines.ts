/**
 * Which lines have been written, by their ids, so that none is written twice. A daemon that was killed does not know
 * how far it had got; the next one sends again what might be missing.
 */
export interface SentLines {
  /** Calls `write` unless that was done for this id before: then its outcome is the answer. Without an id it is always called. */
  once(lineId: string | undefined, write: () => Promise<void>): Promise<void>
}

/** More than the lines of any turn: only those of the last one are ever sent again. */
const keptIds = 10_000

export function createSentLines(): SentLines {
  const outcomes = new Map<string, Promise<void>>()
  return {
    once(lineId, write) {
      if (lineId === undefined) return write()
      const earlier = outcomes.get(lineId)
      if (earlier) return earlier
      const outcome = write()
      outcomes.set(lineId, outcome)
      if (outcomes.size > keptIds) outcomes.delete(outcomes.keys().next().value!)
      return outcome
    },
  }
}
