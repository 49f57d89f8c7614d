import { harmless, harmlessJson } from '../../../text/harmless.ts'
import { summaryFields, summarizeToolInput } from '../../../text/summarize-tool-input.ts'

/** The input of a tool call in one line: the part that distinguishes it from other calls of the tool. */
export function toolAbout(tool: string, input: unknown): string {
  const { questions } = (input ?? {}) as { questions?: unknown }
  const [question] = Array.isArray(questions) ? (questions as { question?: unknown }[]) : []
  if (typeof question?.question === 'string') return oneLine(question.question)
  if (tool === 'TodoWrite') return todosAbout(input)
  const { subject, taskId, task_id: task, status } = (input ?? {}) as Record<string, unknown>
  // For a task list: the subject, or the task and its state.
  if (/^Task[A-Z]/.test(tool)) return oneLine([subject ?? named(taskId ?? task), status].filter(Boolean).join(', '))
  if (Object.keys(input ?? {}).length === 0) return ''
  const telling = summarizeToolInput(input, isAgent(tool) ? ['description', 'prompt'] : [...summaryFields, 'plan'])
  // Without a distinguishing field, show all values; the body names them.
  return oneLine(telling.startsWith('{') ? valuesOf(input) : telling)
}

const named = (task: unknown) => (typeof task === 'string' || typeof task === 'number' ? `task ${task}` : '')

const valuesOf = (input: unknown) =>
  Object.values((input ?? {}) as Record<string, unknown>)
    .filter(value => ['string', 'number', 'boolean'].includes(typeof value))
    .join(', ')

function todosAbout(input: unknown): string {
  const { todos } = (input ?? {}) as { todos?: unknown }
  if (!Array.isArray(todos)) return ''
  const done = todos.filter(todo => (todo as { status?: unknown } | null)?.status === 'completed').length
  return `${done} of ${todos.length} done`
}

/** The path in the input, if it distinguishes the call from others. */
export function pathOf(input: unknown): string | undefined {
  const { command, file_path: file, notebook_path: notebook, pattern, path } = (input ?? {}) as Record<string, unknown>
  if (command !== undefined) return undefined
  const found = file ?? notebook ?? (pattern === undefined ? path : undefined)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** A tool that starts a sub-agent. */
export const isAgent = (tool: string): boolean => tool === 'Agent' || tool === 'Task'

/** The text of a tool result, which is text or a list of parts. */
export function outputText(output: unknown): string {
  if (typeof output === 'string') return output
  if (!Array.isArray(output)) return output === undefined || output === null ? '' : JSON.stringify(output, null, 2)
  return output.map(partText).join('\n')
}

/** The input of a tool: a command verbatim, anything else as JSON. */
export function inputText(input: unknown): string {
  const command = (input as { command?: unknown } | null | undefined)?.command
  if (typeof command === 'string') return harmless(command)
  if (typeof input === 'string') return harmless(input)
  return input === undefined ? '' : harmlessJson(JSON.stringify(input, null, 2))
}

function partText(part: unknown): string {
  const { text, type } = (part ?? {}) as { text?: unknown; type?: unknown }
  return typeof text === 'string' ? text : `[${typeof type === 'string' ? type : 'part'}]`
}

const oneLine = (text: string) => harmless(text.slice(0, 400)).replaceAll(/\s+/g, ' ').trim()
