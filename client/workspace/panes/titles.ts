import type { Session } from '../../sdk/browser.ts'
import { projectName, sessionName } from '../../text/session-name.ts'
import { parseBlockId } from '../layout/block.ts'
import { paneKindOf } from './registry.ts'

/** Returns the title of a block's tab. */
export function blockTitle(id: string, sessions: ReadonlyMap<string, Session>): string {
  const pane = paneKindOf(id)
  if (!pane) return id
  if (pane.of === 'daemon') return pane.title
  const session = sessionOf(id, sessions)
  const name = session ? sessionName(session) : parseBlockId(id)!.session!
  return pane.titleOf?.(name) ?? name
}

/** Returns the project of a session without a title of its own; the tab shows it beside the first prompt. */
export function blockProject(id: string, sessions: ReadonlyMap<string, Session>): string | undefined {
  const session = sessionOf(id, sessions)
  if (!session || session.title.trim() || !session.firstPrompt) return undefined
  return projectName(session.cwd)
}

/** Returns the accessible name of a tab: its title, and the project and count shown beside it. */
export function tabLabel(id: string, sessions: ReadonlyMap<string, Session>, waiting: number): string {
  const title = [blockTitle(id, sessions), blockProject(id, sessions)].filter(Boolean).join(', ')
  return id === 'approvals' && waiting > 0 ? `${title} ${waiting} waiting` : title
}

const sessionOf = (id: string, sessions: ReadonlyMap<string, Session>) => sessions.get(parseBlockId(id)?.session ?? '')
