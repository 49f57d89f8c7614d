import { InvalidArgumentError } from 'commander'

/** A duration of the command line in ms: `90s`, `10m`, `1h`, `1.5d`, `250ms`; a number alone is seconds. */
export function parseDuration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? []
  const ms = Math.round(Number(amount) * (units[unit] ?? NaN))
  if (!(ms > 0)) throw new InvalidArgumentError('expected a duration such as 90s, 10m or 1h.')
  return ms
}

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
