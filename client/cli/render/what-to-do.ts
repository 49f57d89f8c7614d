import type { Failure } from '../../../protocol/index.ts'

/** Returns what to do about a failure, and when its usage limit ends. Undefined if the record has neither. */
export function whatToDo({ advice, resetsAt }: Failure): string | undefined {
  if (resetsAt === undefined) return advice
  return [advice ?? 'It is reset', `(${new Date(resetsAt).toLocaleString()} here)`].join(' ')
}
