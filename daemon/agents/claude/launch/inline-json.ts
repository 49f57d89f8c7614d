/**
 * Returns the value of inline JSON, or undefined. Claude Code takes settings and MCP servers either as JSON or as the
 * path of a JSON file.
 */
export function inlineJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether a text is meant as inline JSON. Invalid JSON counts too, because Claude Code would print it, including
 * secrets, as the name of a missing file.
 */
export const looksInline = (text: string): boolean => text.trimStart().startsWith('{') || inlineJson(text) !== undefined
