import type { Run, Session } from '../../sdk/browser.ts'

export interface SessionLook {
  /** The CSS class of its dot. */
  dot: '' | 'running' | 'waiting' | 'failed' | 'good' | 'closed'
  /** The same in words. */
  words: string
}

const endedLooks: Partial<Record<Run['state'], SessionLook>> = {
  done: { dot: 'good', words: 'done' },
  failed: { dot: 'failed', words: 'failed' },
  cancelled: { dot: '', words: 'cancelled' },
  interrupted: { dot: 'failed', words: 'interrupted' },
}

/**
 * Summarises the state of a session. In order of precedence: unusable, waiting for an answer, an active run, the
 * outcome of the last run.
 */
export function sessionLook(
  session: Session,
  { active, ended, asked }: { active: readonly Run[]; ended: Run | undefined; asked: number },
): SessionLook {
  if (session.unusable) return { dot: 'failed', words: 'unusable' }
  if (asked || session.state === 'waiting') return { dot: 'waiting', words: 'waits for an answer' }
  const current = active.find(({ state }) => state !== 'queued')
  if (current) return { dot: 'running', words: current.state === 'cancelling' ? 'is being cancelled' : 'running' }
  if (active.length) return { dot: 'running', words: 'queued' }
  if (session.state === 'closed' && !ended) return { dot: 'closed', words: 'closed' }
  return (ended && endedLooks[ended.state]) ?? { dot: session.state === 'closed' ? 'closed' : '', words: session.state }
}
