/** Where rows of different heights lie: measured ones where they were, the others where they will about be. */
export interface Geometry {
  /** Takes over the rows to be laid out, by their keys. */
  lay(keys: readonly string[], guess: (index: number) => number): void
  /** Returns whether it is news. */
  measured(key: string, height: number): boolean
  readonly total: number
  topOf(index: number): number
  indexOf(key: string): number | undefined
  /** The row at this distance from the top, or the nearest. */
  at(top: number): number
  /** Everything was measured at another width. */
  forget(): void
}

export function createGeometry(): Geometry {
  let heights = new Map<string, number>()
  let keys: readonly string[] = []
  let tops = new Float64Array(1)
  let places: Map<string, number> | undefined
  let guess = (_index: number) => 40
  let stale = false

  function settle(): void {
    if (!stale) return
    stale = false
    if (tops.length !== keys.length + 1) tops = new Float64Array(keys.length + 1)
    for (let index = 0; index < keys.length; index++) {
      tops[index + 1] = tops[index]! + (heights.get(keys[index]!) ?? guess(index))
    }
  }

  return {
    lay(next, guessed) {
      keys = next
      guess = guessed
      places = undefined
      stale = true
      // Of rows long gone: not each time, for most are still there.
      if (heights.size <= 2 * keys.length + 1_000) return
      const kept = new Set(keys)
      heights = new Map([...heights].filter(([key]) => kept.has(key)))
    },
    measured(key, height) {
      if (heights.get(key) === height) return false
      heights.set(key, height)
      stale = true
      return true
    },
    get total() {
      settle()
      return tops[keys.length]!
    },
    topOf(index) {
      settle()
      return tops[Math.max(0, Math.min(index, keys.length))]!
    },
    indexOf(key) {
      places ??= new Map(keys.map((each, index) => [each, index]))
      return places.get(key)
    },
    at(top) {
      settle()
      let low = 0
      let high = Math.max(0, keys.length - 1)
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (tops[middle]! <= top) low = middle
        else high = middle - 1
      }
      return low
    },
    forget() {
      heights.clear()
      stale = true
    },
  }
}
