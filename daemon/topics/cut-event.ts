/**
 * The text of an event as it goes over the wire: itself, or, when it is over `maxBytes` of UTF-8, the same event with
 * its large strings shortened (then its long arrays, then its depth) and `"cut":{"bytes":N}`, N being its whole size.
 * Pure and deterministic: live delivery and a replay years later send the same bytes.
 */
export function cutEvent(text: string, maxBytes: number): string {
  // A UTF-16 unit is at most three bytes: most events need no counting.
  if (text.length * 3 <= maxBytes) return text
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return text
  const event = JSON.parse(text) as Record<string, unknown>
  let cut = ''
  for (const bounds of steps) {
    cut = JSON.stringify({ ...(shorten(event, bounds, 0) as object), cut: { bytes } })
    if (Buffer.byteLength(cut) <= maxBytes) return cut
  }
  return cut
}

interface Bounds {
  string: number
  items: number
  depth: number
}

// Strings first, for that is where the bytes are; the shape only where that was not enough. The last step is about
// 20 KB at worst for an event with as many fields as the protocol has.
const steps: readonly Bounds[] = [
  ...[65_536, 16_384, 4_096, 1_024, 256].map(string => ({ string, items: Infinity, depth: 100 })),
  ...[4_096, 1_024, 256, 64, 16].map(items => ({ string: 256, items, depth: 16 })),
  { string: 64, items: 4, depth: 4 },
]

function shorten(value: unknown, bounds: Bounds, depth: number): unknown {
  if (typeof value === 'string') return shortenString(value, bounds.string)
  if (typeof value !== 'object' || value === null) return value
  if (depth === bounds.depth) return null
  if (Array.isArray(value)) return value.slice(0, bounds.items).map(item => shorten(item, bounds, depth + 1))
  const entries = Object.entries(value)
  const kept = depth === 0 ? entries : entries.slice(0, bounds.items)
  // fromEntries, not assignment: a key named __proto__ stays a key.
  return Object.fromEntries(
    kept.map(([key, item]) => [shortenString(key, bounds.string), shorten(item, bounds, depth + 1)]),
  )
}

function shortenString(text: string, length: number): string {
  if (text.length <= length) return text
  // Never half of a surrogate pair.
  const last = text.charCodeAt(length - 1)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)}…`
}
