/**
 * Parses a duration such as `90s`, `10m`, `1h30m`, `1.5d` or `250ms` and returns it in ms. A number without a unit is
 * seconds. Returns undefined for any other text.
 */
export function parseDuration(text: string): number | undefined {
  const whole = /^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : text
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(whole)) return undefined
  const parts = whole.match(/[\d.]+[a-z]+/g) ?? []
  const ms = Math.round(parts.reduce((sum, each) => sum + toMs(each), 0))
  return Number.isSafeInteger(ms) ? ms : undefined
}

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function toMs(part: string): number {
  const amount = Number.parseFloat(part)
  return amount * units[part.replace(/^[\d.]+/, '')]!
}
