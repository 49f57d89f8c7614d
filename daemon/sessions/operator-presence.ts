/**
 * Whether anybody is connected who could answer a question of Claude Code's: a client that may control, has said hello, and
 * did not say there that it cannot ask a person (`answers: false`).
 */
export interface OperatorPresence {
  /** Since when nobody has been (ms since epoch), at first since the daemon began; undefined while somebody is. */
  readonly emptySince: number | undefined
  /** Somebody is there; returns what says that they have left. */
  enter(): () => void
  /** The first has come or the last has left. */
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
