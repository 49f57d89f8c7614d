import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../../protocol/duration.ts'

/** A duration of the command line in ms; not nothing. */
export function durationOption(text: string): number {
  const ms = durationOrZeroOption(text)
  if (ms === 0) throw new InvalidArgumentError(expected)
  return ms
}

/** The same, where 0 has a meaning. */
export function durationOrZeroOption(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError(expected)
  return ms
}

const expected = 'expected a duration such as 90s, 10m or 1h30m.'
