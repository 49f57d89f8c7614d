/** Writes labels as lines `name=value`. */
export const labelLines = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')

export function labelsOf(lines: string): Record<string, string> {
  const labels = lines.split('\n').map(line => line.split('='))
  return Object.fromEntries(
    labels.map(([name = '', ...value]) => [name.trim(), value.join('=').trim()]).filter(([name]) => name),
  ) as Record<string, string>
}
