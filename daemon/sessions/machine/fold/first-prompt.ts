import type { Session } from '../../../../protocol/index.ts'
import { limits } from '../../../../protocol/limits.ts'

/** Returns the record with its first prompt, by which clients name a session without a title. */
export function withFirstPrompt<Named extends Pick<Session, 'firstPrompt' | 'lastRun'>>(
  record: Named,
  prompt: string,
): Named {
  // A session that had a run and has no first prompt was stored by an older muxd: a later prompt is not its first.
  if (record.firstPrompt !== undefined || record.lastRun !== null) return record
  const firstPrompt = promptExcerpt(prompt)
  return firstPrompt ? { ...record, firstPrompt } : record
}

/** The beginning of a prompt, without the white space around it. */
export function promptExcerpt(prompt: string): string {
  const text = prompt.trim()
  if (text.length <= limits.maxFirstPrompt) return text
  // Not half a surrogate pair.
  return `${text.slice(0, limits.maxFirstPrompt - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
