import type { Session } from '../../sdk/browser.ts'

export type StateFilter = 'all' | 'waiting' | 'running' | 'idle' | 'closed'

/**
 * Returns the matching sessions, latest used first. Each word of `text` must occur in the title, first prompt,
 * directory or id, or be the beginning of a label `name=value`.
 */
export function filterSessions(
  sessions: Iterable<Session>,
  { text, state }: { text: string; state: StateFilter },
  isWaiting: (session: Session) => boolean,
): Session[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (session: Session) => {
    if (state === 'waiting' && !isWaiting(session)) return false
    if (state !== 'all' && state !== 'waiting' && session.state !== state) return false
    const { title, firstPrompt = '', cwd, session: id } = session
    const hay = `${title}\n${firstPrompt}\n${cwd}\n${id}`.toLowerCase()
    const labels = Object.entries(session.labels).map(([name, value]) => `${name}=${value}`.toLowerCase())
    return words.every(word => hay.includes(word) || labels.some(label => label.startsWith(word)))
  }
  return [...sessions].filter(fits).sort((a, b) => b.usedAt - a.usedAt)
}
