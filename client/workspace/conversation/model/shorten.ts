import type { Event } from '../../../sdk/browser.ts'

/** Events with more characters are shortened; the daemon delivers the whole event on request. */
const longestText = 32 * 1024

/** Shortens an event for a pane: drops what other events repeat and keeps only the beginning of very long content. */
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
      // The details mostly repeat the text of the result.
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

/** Estimates the number of characters of its JSON. */
export function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let sum = 2
  for (const key in value) sum += key.length + 3 + charactersOf((value as Record<string, unknown>)[key])
  return sum
}

/** Cuts long texts and lists so that the value has about `most` characters of text. Lists keep 100 elements. */
function begin(value: unknown, most: number): unknown {
  if (typeof value === 'string') return value.length > most ? `${value.slice(0, most)}…` : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.slice(0, 100).map(each => begin(each, most / Math.min(value.length, 100)))
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([name, each]) => [name, begin(each, most / entries.length)]))
}
