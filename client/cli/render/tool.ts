import { summarizeToolInput } from '../../text/summarize-tool-input.ts'
import { oneLine } from './text.ts'

/** What a tool is called with, in one line: the part that tells it from others of its kind. */
export const summary = (input: unknown): string => oneLine(summarizeToolInput(input))

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
