import { summarizeToolInput } from '../../text/summarize-tool-input.ts'
import { oneLine } from '../screen/text.ts'

/** Returns the part of a tool's input that distinguishes the call, in one line. */
export const summary = (input: unknown): string => oneLine(summarizeToolInput(input))

/** Returns the first line with text in a tool's output, which may be text or parts. */
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
