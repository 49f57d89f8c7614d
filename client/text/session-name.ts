import type { Session } from '../../protocol/index.ts'
import { harmless } from './harmless.ts'

/** What a session is called: its title, else the first line of its first prompt, else its project. Harmless to show. */
export function sessionName(session: Pick<Session, 'title' | 'firstPrompt' | 'cwd'>): string {
  return harmless(session.title).trim() || firstLine(harmless(session.firstPrompt ?? '')) || projectName(session.cwd)
}

/** The name of the directory that a session works in. */
export const projectName = (cwd: string): string => harmless(cwd.replace(/\/+$/, '').split('/').at(-1) || cwd)

const firstLine = (text: string) => text.trim().split('\n', 1)[0]!.trim()
