/**
 * The rule by which something is flat: of what was measured at calm moments the first fifth is warm-up; of the rest the
 * median of the last third is not above that of the first third by more than `slack`. Medians, so that one measurement at
 * a bad moment proves nothing; thirds, so that what goes up and comes down again is no leak.
 */
export interface Judgement {
  first: number
  last: number
  slack: number
  isFlat: boolean
}

/** Six and what is warm-up before them: two for each third. */
export const fewestSamples = 8

/** Throws when there are too few to say anything. */
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
