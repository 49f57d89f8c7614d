/**
 * Returns the text of an event as it is sent. If the text is over `maxBytes` of UTF-8, the event is shortened: first
 * its large strings, then its long arrays and objects and its depth. It then has `"cut":{"bytes":N}`, where N is its
 * size before. Pure and deterministic: live delivery and a replay years later send the same bytes.
 */
export function cutEvent(text: string, maxBytes: number): string {
  // A UTF-16 unit takes at most three bytes, so most events need no counting.
  if (text.length * 3 <= maxBytes) return text
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return text
  const event = JSON.parse(text) as unknown
  for (const bounds of steps) {
    const cut = shortened(event, bounds, bytes, maxBytes)
    if (cut !== undefined) return cut
  }
  return shortened(event, steps.at(-1)!, bytes, Infinity)!
}

/** Returns the event's text within these bounds; undefined if that is still over `maxBytes`. */
function shortened(event: unknown, bounds: Bounds, bytes: number, maxBytes: number): string | undefined {
  // Counts characters, which are never more than the bytes. That is enough to abandon a step before a huge event has
  // been walked through.
  const room = { characters: maxBytes }
  const kept = shorten(event, bounds, 0, room) as object
  if (room.characters < 0) return undefined
  const cut = JSON.stringify({ ...kept, cut: { bytes } })
  return Buffer.byteLength(cut) <= maxBytes ? cut : undefined
}

interface Bounds {
  string: number
  items: number
  depth: number
}

// Strings first, because they hold most of the bytes; the shape only if that is not enough. The last step yields at
// most about 20 KB for an event with as many fields as the protocol has.
const steps: readonly Bounds[] = [
  ...[65_536, 16_384, 4_096, 1_024, 256].map(string => ({ string, items: Infinity, depth: 100 })),
  ...[4_096, 1_024, 256, 64, 16].map(items => ({ string: 256, items, depth: 16 })),
  { string: 64, items: 4, depth: 4 },
]

function shorten(value: unknown, bounds: Bounds, depth: number, room: { characters: number }): unknown {
  room.characters -= 1
  if (typeof value === 'string') {
    const text = shortenString(value, bounds.string)
    room.characters -= text.length
    return text
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === bounds.depth) return null
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) {
      if (items.length === bounds.items || room.characters < 0) break
      items.push(shorten(item, bounds, depth + 1, room))
    }
    return items
  }
  const entries: [string, unknown][] = []
  for (const [key, item] of Object.entries(value)) {
    if ((entries.length === bounds.items && depth > 0) || room.characters < 0) break
    const name = shortenString(key, bounds.string)
    room.characters -= name.length
    entries.push([name, shorten(item, bounds, depth + 1, room)])
  }
  // fromEntries, not assignment: a key named __proto__ stays a key.
  return Object.fromEntries(entries)
}

function shortenString(text: string, length: number): string {
  if (text.length <= length) return text
  // Do not cut a surrogate pair in half.
  const last = text.charCodeAt(length - 1)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)}…`
}
