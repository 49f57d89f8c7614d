import type { Session } from '../../browser.ts'
import type { IconName } from '../parts/icons.tsx'
import { baseName } from '../parts/format.ts'
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

/** What a session is called: its title, else the directory it works in. */
export const sessionTitle = ({ title, cwd }: Pick<Session, 'title' | 'cwd'>): string => title.trim() || baseName(cwd)

/** What stands on the tab of a block. */
export function blockTitle(id: string, sessions: ReadonlyMap<string, Session>): string {
  const block = blockOf(id)
  if (!block) return id
  if (!('session' in block)) return blockNames[block.kind]
  const session = sessions.get(block.session)
  const title = session ? sessionTitle(session) : block.session
  return block.kind === 'frames' ? `Frames of ${title}` : title
}

/** What a screen reader calls the tab: its title, and what is seen beside it. */
export function tabLabel(id: string, sessions: ReadonlyMap<string, Session>, waiting: number): string {
  const title = blockTitle(id, sessions)
  return id === 'approvals' && waiting > 0 ? `${title} ${waiting} waiting` : title
}
