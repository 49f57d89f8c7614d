/**
 * Tracks whether a client is connected that can answer the agent's questions. Such a client has the role `control`,
 * has said hello, and did not state there that it cannot ask a person (`answers: false`).
 */
export interface OperatorPresence {
  /**
   * Since when no such client is connected (ms since epoch); undefined while one is. Initially the start of the daemon.
   */
  readonly emptySince: number | undefined
  /** Counts one client as connected. Returns a function that stops counting it. */
  enter(): () => void
  /** Calls `listener` when the first client comes and when the last one leaves. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void
}

export function createOperatorPresence(now: () => number = Date.now): OperatorPresence {
  const listeners = new Set<() => void>()
  let present = 0
  let emptySince: number | undefined = now()

  const changed = () => {
    emptySince = present === 0 ? now() : undefined
    for (const listener of listeners) listener()
  }

  return {
    get emptySince() {
      return emptySince
    },
    enter() {
      present += 1
      if (present === 1) changed()
      let isPresent = true
      return () => {
        if (!isPresent) return
        isPresent = false
        present -= 1
        if (present === 0) changed()
      }
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
