import type { Event } from '../../../sdk/browser.ts'

/** Characters of a text that a pane keeps of one event; the rest is had from the daemon when somebody wants to see it. */
const longestText = 32 * 1024

/** What a pane keeps of an event: not what other events have said already, and of very long output the beginning. */
export function shorten(event: Event): Event {
  switch (event.type) {
    case 'done':
    case 'failed':
    case 'cancelled':
    case 'interrupted':
      return { ...event, response: '', transcript: [] }
    case 'tool_use':
      return charactersOf(event) > longestText
        ? { ...event, input: begin(event.input, longestText), cut: cutOf(event) }
        : event
    case 'tool_result': {
      if (charactersOf(event) <= longestText) return event
      const { details, ...rest } = event
      const kept = { ...rest, output: begin(event.output, longestText), cut: cutOf(event) }
      // The text of a result is mostly in its details again.
      return charactersOf(details) > longestText ? kept : { ...kept, details }
    }
    case 'notice':
      return charactersOf(event) > longestText
        ? { ...event, frame: begin(event.frame, longestText), cut: cutOf(event) }
        : event
    default:
      return event
  }
}

const cutOf = (event: Event) => event.cut ?? { bytes: charactersOf(event) }

/** About as many as its JSON has. */
export function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let sum = 2
  for (const key in value) sum += key.length + 3 + charactersOf((value as Record<string, unknown>)[key])
  return sum
}

/** The value with its long texts and lists ended early. */
function begin(value: unknown, most: number): unknown {
  if (typeof value === 'string') return value.length > most ? `${value.slice(0, most)}…` : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.slice(0, 100).map(each => begin(each, most / Math.min(value.length, 100)))
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([name, each]) => [name, begin(each, most / entries.length)]))
}
