import type { Session } from '../../sdk/browser.ts'
import { projectName, sessionName } from '../../text/session-name.ts'
import { parseBlockId } from '../layout/block.ts'
import { paneKindOf } from './registry.ts'

/** What stands on the tab of a block. */
export function blockTitle(id: string, sessions: ReadonlyMap<string, Session>): string {
  const pane = paneKindOf(id)
  if (!pane) return id
  if (pane.of === 'daemon') return pane.title
  const session = sessionOf(id, sessions)
  const name = session ? sessionName(session) : parseBlockId(id)!.session!
  return pane.titleOf?.(name) ?? name
}

/** The project of a session that has no title of its own: shown beside its first prompt. */
export function blockProject(id: string, sessions: ReadonlyMap<string, Session>): string | undefined {
  const session = sessionOf(id, sessions)
  if (!session || session.title.trim() || !session.firstPrompt) return undefined
  return projectName(session.cwd)
}

/** What a screen reader calls the tab: its title, and what is seen beside it. */
export function tabLabel(id: string, sessions: ReadonlyMap<string, Session>, waiting: number): string {
  const title = [blockTitle(id, sessions), blockProject(id, sessions)].filter(Boolean).join(', ')
  return id === 'approvals' && waiting > 0 ? `${title} ${waiting} waiting` : title
}

const sessionOf = (id: string, sessions: ReadonlyMap<string, Session>) => sessions.get(parseBlockId(id)?.session ?? '')
