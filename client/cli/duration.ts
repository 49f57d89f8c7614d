/** Milliseconds of `90s`, `10m`, `12h`, `7d`. Throws for anything else. */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const ms = Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs])
  if (!(ms > 0)) throw new Error('expected a time such as 90s, 10m, 12h or 7d.')
  return ms
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
