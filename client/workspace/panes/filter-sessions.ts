import type { Session } from '../../sdk/browser.ts'

export type StateFilter = 'all' | 'waiting' | 'running' | 'idle' | 'closed'

/**
 * The sessions that match, latest used first. Each word is looked for in title, first prompt, directory and id;
 * a word `name=value` or `name=` is a label.
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
