import type { Session } from '../../protocol/index.ts'
import { harmless } from './harmless.ts'

/**
 * Returns the name of a session, harmless to show: its title, else the first line of its first prompt, else its
 * project.
 */
export function sessionName(session: Pick<Session, 'title' | 'firstPrompt' | 'cwd'>): string {
  return harmless(session.title).trim() || firstLine(harmless(session.firstPrompt ?? '')) || projectName(session.cwd)
}

/** Returns the name of a session's working directory. */
export const projectName = (cwd: string): string => harmless(cwd.replace(/\/+$/, '').split('/').at(-1) || cwd)

const firstLine = (text: string) => text.trim().split('\n', 1)[0]!.trim()
