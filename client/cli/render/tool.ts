import { oneLine } from './text.ts'

/** What a tool is called with, in one line: the part that tells it from others of its kind. */
export function summary(input: unknown): string {
  if (typeof input === 'string') return oneLine(input)
  if (typeof input !== 'object' || input === null) return ''
  const fields = input as Record<string, unknown>
  const telling = tellingFields.map(name => fields[name]).find(value => typeof value === 'string' && value !== '')
  if (typeof telling === 'string') return oneLine(telling)
  return Object.keys(fields).length ? oneLine(JSON.stringify(fields)) : ''
}

const tellingFields = [
  'command',
  'file_path',
  'notebook_path',
  'pattern',
  'path',
  'url',
  'query',
  'description',
  'prompt',
]

/** The first line of what a tool gave back, which may be text or parts. */
export function firstLine(output: unknown): string {
  const said =
    typeof output === 'string'
      ? output
      : Array.isArray(output)
        ? output.map(textOf).find(text => text !== undefined)
        : undefined
  return oneLine(said?.split('\n').find(line => line.trim()) ?? '')
}

function textOf(part: unknown): string | undefined {
  const { text } = (part ?? {}) as { text?: unknown }
  return typeof text === 'string' ? text : undefined
}
