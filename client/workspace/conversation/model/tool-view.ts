import { isAgent } from './tool-output.ts'

/** The input of a tool call in readable form. */
export type ToolView =
  | { as: 'command'; command: string }
  | { as: 'todos'; todos: Todo[] }
  | { as: 'text'; text: string }
  | { as: 'fields'; fields: Field[] }

export interface Todo {
  text: string
  state: 'pending' | 'in_progress' | 'completed'
}

/** `isLong`: shown on separate lines. */
export interface Field {
  name: string
  value: string
  isPath: boolean
  isLong: boolean
}

export function toolView(tool: string, input: unknown): ToolView {
  if (typeof input === 'string') return { as: 'text', text: input }
  const { command, todos, prompt, ...rest } = fieldsOf(input)
  if (typeof command === 'string') return { as: 'command', command }
  const list = tool === 'TodoWrite' ? todosOf(todos) : []
  if (list.length > 0) return { as: 'todos', todos: list }
  // The prompt of an agent stands above its steps. The header has the agent's other fields.
  if (isAgent(tool) && typeof prompt === 'string') return { as: 'text', text: prompt }
  const fields = { ...rest, ...(todos !== undefined && { todos }), ...(prompt !== undefined && { prompt }) }
  return { as: 'fields', fields: Object.entries(fields).map(([name, value]) => fieldOf(name, value)) }
}

/** Returns the readable name of a tool. A tool of an MCP server is split into its own name and the server. */
export function toolName(tool: string): { name: string; server: string | undefined } {
  const [, server, name] = /^mcp__(.+?)__(.+)$/.exec(tool) ?? []
  return server && name
    ? { name: words(name), server: words(server) }
    : { name: spoken[tool] ?? tool, server: undefined }
}

/** Names of the tools with which Claude Code asks the user. */
const spoken: Record<string, string> = { AskUserQuestion: 'Question', ExitPlanMode: 'Plan' }

/** Whether a field of this name holds a path. */
export const isPathName = (name: string): boolean => /(^|_)(path|file|dir|directory|cwd)$/i.test(name)

/**
 * Parses a JSON output into fields; undefined if the text is not a JSON object or array, or above 200,000 characters.
 */
export function jsonFields(text: string): Field[] | undefined {
  const trimmed = text.trim()
  if (!/^[{[]/.test(trimmed) || trimmed.length > 200_000) return undefined
  try {
    const value: unknown = JSON.parse(trimmed)
    if (Array.isArray(value)) return value.map((each, index) => fieldOf(String(index + 1), each))
    return Object.entries(fieldsOf(value)).map(([name, each]) => fieldOf(name, each))
  } catch {
    return undefined
  }
}

function fieldOf(name: string, value: unknown): Field {
  const text = valueText(value)
  return {
    name: words(name),
    value: text,
    isPath: isPathName(name) && text.includes('/') && !text.includes('\n'),
    isLong: text.includes('\n') || text.length > 90,
  }
}

/** Writes lists and objects line by line, without JSON syntax. */
function valueText(value: unknown, indent = ''): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') return ''
  const isList = Array.isArray(value)
  const lines = Object.entries(value).map(([name, each]) => {
    const text = valueText(each, `${indent}  `)
    const inner = typeof each === 'object' && each !== null && text !== '–' ? `\n${text}` : ` ${text}`
    return isList ? `${indent}•${inner}` : `${indent}${words(name)}:${inner}`
  })
  return lines.length > 0 ? lines.join('\n') : '–'
}

const states = new Set(['pending', 'in_progress', 'completed'])

function todosOf(value: unknown): Todo[] {
  if (!Array.isArray(value)) return []
  return value.map(fieldsOf).flatMap(({ content, activeForm, status }) => {
    const text = [content, activeForm].find(each => typeof each === 'string' && each !== '')
    if (typeof text !== 'string') return []
    return [{ text, state: states.has(String(status)) ? (status as Todo['state']) : 'pending' }]
  })
}

/** Turns `file_path`, `filePath` and `file-path` into `file path`. */
const words = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()

const fieldsOf = (value: unknown) =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}) as Record<string, unknown>
