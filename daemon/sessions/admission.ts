/**
 * Lets at most `maxRuns` runs be active at once; the others wait in the order in which they came. A place is asked for
 * with a callback that is called, at once or later, when it is there.
 */
export interface Admission {
  /** Returns what gives the place back, or withdraws the request while it still waits. */
  request(admitted: () => void): () => void
  /** A place for a run that is active already, whether there is room for it or not. Returns what gives it back. */
  take(): () => void
  readonly active: number
}

export function createAdmission(maxRuns: number): Admission {
  const waiting: { admitted: () => void }[] = []
  let active = 0

  const admit = () => {
    while (active < maxRuns) {
      const next = waiting.shift()
      if (!next) return
      active += 1
      next.admitted()
    }
  }

  return {
    get active() {
      return active
    },
    take() {
      active += 1
      let given = false
      return () => {
        if (given) return
        given = true
        active -= 1
        admit()
      }
    },
    request(admitted) {
      const place = { admitted }
      waiting.push(place)
      let given = false
      admit()
      return () => {
        if (given) return
        given = true
        const index = waiting.indexOf(place)
        if (index >= 0) waiting.splice(index, 1)
        else active -= 1
        admit()
      }
    },
  }
}
