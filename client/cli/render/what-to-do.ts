import type { Failure } from '../../../protocol/index.ts'

/** What to do about a failure, and when; undefined where a daemon that stored it did not know. */
export function whatToDo({ advice, resetsAt }: Failure): string | undefined {
  if (resetsAt === undefined) return advice
  return [advice ?? 'It is reset', `(${new Date(resetsAt).toLocaleString()} here)`].join(' ')
}
