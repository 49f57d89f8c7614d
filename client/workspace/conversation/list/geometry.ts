/** The positions of rows with different heights, in pixels. Uses measured heights, and estimates for the other rows. */
export interface Geometry {
  /** Sets the rows. The leading rows whose keys have not changed are not computed again. */
  lay(rows: readonly { key: string }[], guess: (index: number) => number): void
  measured(key: string, height: number): void
  readonly total: number
  topOf(index: number): number
  indexOf(key: string): number | undefined
  /** The row at this distance from the top, or the nearest. */
  at(top: number): number
  /** Drops all measured heights, because the width has changed. */
  forget(): void
}

export function createGeometry(): Geometry {
  let heights = new Map<string, number>()
  const places = new Map<string, number>()
  let keys: string[] = []
  let tops = new Float64Array(1)
  let guess = (_index: number) => 40
  // The number of rows for which `tops` is valid.
  let settled = 0

  function settle(): void {
    if (settled === keys.length) return
    if (tops.length <= keys.length) {
      const longer = new Float64Array(2 * keys.length)
      longer.set(tops.subarray(0, settled + 1))
      tops = longer
    }
    for (let index = settled; index < keys.length; index++) {
      tops[index + 1] = tops[index]! + (heights.get(keys[index]!) ?? guess(index))
    }
    settled = keys.length
  }

  return {
    lay(rows, guessed) {
      guess = guessed
      let same = 0
      while (same < rows.length && rows[same]!.key === keys[same]) same++
      settled = Math.min(settled, same)
      for (const key of keys.splice(same)) places.delete(key)
      for (const { key } of rows.slice(same)) places.set(key, keys.push(key) - 1)
      // Drop the heights of removed rows, but only once they are the majority.
      if (heights.size <= 2 * keys.length + 1_000) return
      heights = new Map([...heights].filter(([key]) => places.has(key)))
    },
    measured(key, height) {
      if (heights.get(key) === height) return
      heights.set(key, height)
      settled = Math.min(settled, places.get(key) ?? settled)
    },
    get total() {
      settle()
      return tops[keys.length]!
    },
    topOf(index) {
      settle()
      return tops[Math.max(0, Math.min(index, keys.length))]!
    },
    indexOf: key => places.get(key),
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
      settled = 0
    },
  }
}
