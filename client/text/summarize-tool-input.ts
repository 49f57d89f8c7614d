/**
 * Returns the part of a tool's input that distinguishes the call from other calls of the tool: the first field of
 * `names` that contains text, otherwise the whole input as JSON. The caller shortens and cleans the text for display.
 */
export function summarizeToolInput(input: unknown, names: readonly string[] = summaryFields): string {
  if (typeof input === 'string') return input
  if (typeof input !== 'object' || input === null) return ''
  const fields = input as Record<string, unknown>
  const telling = names.map(name => fields[name]).find(value => typeof value === 'string' && value !== '')
  if (typeof telling === 'string') return telling
  return Object.keys(fields).length ? JSON.stringify(fields) : ''
}

export const summaryFields = [
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
