import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../../protocol/duration.ts'

/** Parses a duration option and returns it in ms. Throws `InvalidArgumentError` for other text and for 0. */
export function durationOption(text: string): number {
  const ms = durationOrZeroOption(text)
  if (ms === 0) throw new InvalidArgumentError(expected)
  return ms
}

/** Like `durationOption`, but accepts 0. */
export function durationOrZeroOption(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError(expected)
  return ms
}

const expected = 'expected a duration such as 90s, 10m or 1h30m.'
