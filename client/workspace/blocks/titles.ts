import type { Session } from '../../sdk/browser.ts'
import type { IconName } from '../parts/icons.tsx'
import { projectName, sessionName } from '../../text/session-name.ts'
import { type BlockKind, blockOf } from './block.ts'

export const blockNames: Record<BlockKind, string> = {
  sessions: 'Sessions',
  approvals: 'Approvals',
  usage: 'Usage',
  daemon: 'Daemon',
  session: 'Session',
  frames: 'Frames',
}

export const blockIcons: Record<BlockKind, IconName> = {
  sessions: 'sessions',
  approvals: 'approvals',
  usage: 'usage',
  daemon: 'daemon',
  session: 'session',
  frames: 'frames',
}

/** What stands on the tab of a block. */
export function blockTitle(id: string, sessions: ReadonlyMap<string, Session>): string {
  const block = blockOf(id)
  if (!block) return id
  if (!('session' in block)) return blockNames[block.kind]
  const session = sessions.get(block.session)
  const title = session ? sessionName(session) : block.session
  return block.kind === 'frames' ? `Frames of ${title}` : title
}

/** The project of a session that has no title of its own: shown beside its first prompt. */
export function blockProject(id: string, sessions: ReadonlyMap<string, Session>): string | undefined {
  const block = blockOf(id)
  const session = block && 'session' in block ? sessions.get(block.session) : undefined
  if (!session || session.title.trim() || !session.firstPrompt) return undefined
  return projectName(session.cwd)
}

/** What a screen reader calls the tab: its title, and what is seen beside it. */
export function tabLabel(id: string, sessions: ReadonlyMap<string, Session>, waiting: number): string {
  const title = [blockTitle(id, sessions), blockProject(id, sessions)].filter(Boolean).join(', ')
  return id === 'approvals' && waiting > 0 ? `${title} ${waiting} waiting` : title
}
