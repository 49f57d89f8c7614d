/**
 * What of a tool's input tells the call from others of its kind: the first of the fields `names` that holds text, else all
 * of it as JSON. Nothing of it is shortened or cleaned: that is for whoever shows it.
 */
export function tellingInput(input: unknown, names: readonly string[] = tellingFields): string {
  if (typeof input === 'string') return input
  if (typeof input !== 'object' || input === null) return ''
  const fields = input as Record<string, unknown>
  const telling = names.map(name => fields[name]).find(value => typeof value === 'string' && value !== '')
  if (typeof telling === 'string') return telling
  return Object.keys(fields).length ? JSON.stringify(fields) : ''
}

export const tellingFields = [
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
