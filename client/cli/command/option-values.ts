import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../../../protocol/duration.ts'

/** Parses a duration option and returns it in ms. Throws `InvalidArgumentError` for other text and for 0. */
export function durationOption(text: string): number {
  const ms = durationOrZeroOption(text)
  if (ms === 0) throw new InvalidArgumentError(expectedDuration)
  return ms
}

/** Like `durationOption`, but accepts 0. */
export function durationOrZeroOption(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError(expectedDuration)
  return ms
}

const expectedDuration = 'expected a duration such as 90s, 10m or 1h30m.'

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('expected a whole number from 1.')
  return Number(text)
}

/** Collects the values of a repeatable option. */
export const another = (text: string, before: string[] = []): string[] => [...before, text]
