/** Claude Code takes settings and MCP servers as JSON or as the path of a file with it: the JSON's value, if it is any. */
export function inlineJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Also JSON with a mistake in it is no path: Claude Code would repeat it, secrets included, as the name of a missing file. */
export const looksInline = (text: string): boolean => text.trimStart().startsWith('{') || inlineJson(text) !== undefined
