/**
 * Remembers the ids of written lines, so that no line is written twice. The successor of a killed daemon does not know
 * which lines were delivered, and resends any that might be missing.
 */
export interface SentLines {
  /**
   * Calls `write`, or returns the earlier outcome if it was called for this id before. Without an id, always calls it.
   */
  once(lineId: string | undefined, write: () => Promise<void>): Promise<void>
}

/** More than the lines of a turn. Only lines of the last turn are ever resent. */
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
