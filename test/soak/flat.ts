/** The verdict of `judge`: the medians of the first and the last third, and the growth that is allowed. */
export interface Judgement {
  first: number
  last: number
  slack: number
  isFlat: boolean
}

/** Two samples for each third, and two of warm-up. */
export const fewestSamples = 8

/**
 * Judges whether samples from calm moments are flat. The first fifth is warm-up. Of the rest, the median of the last
 * third may exceed the median of the first third by at most the slack. Medians, so that one sample at a bad moment
 * proves nothing; thirds, so that a rise that falls again is no leak. Throws when there are fewer than `fewestSamples`.
 */
export function judge(samples: readonly number[], slackOf: (first: number) => number): Judgement {
  if (samples.length < fewestSamples) {
    throw new Error(`measured ${samples.length} times, expected at least ${fewestSamples}: let it run for longer`)
  }
  const warm = samples.slice(Math.max(1, Math.floor(samples.length / 5)))
  const third = Math.floor(warm.length / 3)
  const first = median(warm.slice(0, third))
  const last = median(warm.slice(-third))
  const slack = slackOf(first)
  return { first, last, slack, isFlat: last <= first + slack }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
