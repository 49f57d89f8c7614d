import { harmless, harmlessJson } from '../../../harmless.ts'
import { tellingFields, tellingInput } from '../../../telling-input.ts'

/** What a tool is called with, in one line: the part that tells it from others of its kind. */
export function toolAbout(tool: string, input: unknown): string {
  const { questions } = (input ?? {}) as { questions?: unknown }
  const [question] = Array.isArray(questions) ? (questions as { question?: unknown }[]) : []
  if (typeof question?.question === 'string') return oneLine(question.question)
  return oneLine(tellingInput(input, isAgent(tool) ? ['description', 'prompt'] : [...tellingFields, 'plan']))
}

/** A tool that starts a sub-agent. */
export const isAgent = (tool: string): boolean => tool === 'Agent' || tool === 'Task'

/** The text of what a tool gave back, which may be text or parts. */
export function outputText(output: unknown): string {
  if (typeof output === 'string') return output
  if (!Array.isArray(output)) return output === undefined || output === null ? '' : JSON.stringify(output, null, 2)
  return output.map(partText).join('\n')
}

/** A tool's input as somebody would write it: a command as it is, everything else as JSON. */
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
