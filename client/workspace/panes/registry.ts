import type { ComponentType } from 'preact'
import type { Chord } from '../context/keys.ts'
import { type Block, parseBlockId } from '../layout/block.ts'
import type { IconName } from '../parts/icons.tsx'
import { ApprovalsBlock } from './approvals.tsx'
import { DaemonBlock } from './daemon.tsx'
import { FramesBlock } from './frames.tsx'
import { SessionBlock } from './session.tsx'
import { SessionsBlock } from './sessions.tsx'
import { UsageBlock } from './usage.tsx'

interface Shared {
  /** Its name in stored layouts, which never changes. */
  kind: string
  title: string
  icon: IconName
  /** Opens it. */
  key?: Chord
}

/** A pane that exists once. The palette offers it as "Open" with its title. */
export interface DaemonPane extends Shared {
  of: 'daemon'
  component: ComponentType<{ active: boolean }>
}

/** A pane that each session has. */
export interface SessionPane extends Shared {
  of: 'session'
  /** The title of its tab; default: the session's name. */
  titleOf?(session: string): string
  /**
   * Its entry in the palette while a pane of the session has the focus. Conversations have none, because the palette
   * lists all sessions.
   */
  command?: { title: string; hint: string }
  component: ComponentType<{ session: string; active: boolean }>
}

export type PaneKind = DaemonPane | SessionPane

/** One entry per kind of pane. A new kind needs an entry here and a file with its component. */
export const paneKinds: readonly PaneKind[] = [
  { of: 'daemon', kind: 'sessions', title: 'Sessions', icon: 'sessions', key: 'Alt+KeyS', component: SessionsBlock },
  {
    of: 'daemon',
    kind: 'approvals',
    title: 'Approvals',
    icon: 'approvals',
    key: 'Alt+KeyA',
    component: ApprovalsBlock,
  },
  { of: 'daemon', kind: 'usage', title: 'Usage', icon: 'usage', key: 'Alt+KeyU', component: UsageBlock },
  { of: 'daemon', kind: 'daemon', title: 'Daemon', icon: 'daemon', key: 'Alt+KeyD', component: DaemonBlock },
  { of: 'session', kind: 'session', title: 'Session', icon: 'session', component: SessionBlock },
  {
    of: 'session',
    kind: 'frames',
    title: 'Frames',
    icon: 'frames',
    key: 'Alt+KeyF',
    titleOf: session => `Frames of ${session}`,
    command: { title: 'Open the frames of this session', hint: 'raw, untranslated' },
    component: FramesBlock,
  },
]

/** Returns the kind of the block with this id; undefined if this version of the page has no such kind. */
export function paneKindOf(id: string): PaneKind | undefined {
  const block = parseBlockId(id)
  return block && paneKinds.find(({ kind, of }) => kind === block.kind && of === scopeOf(block))
}

const scopeOf = ({ session }: Block) => (session === undefined ? 'daemon' : 'session')

/** Whether this page can show a block; stored layouts may come from another version. */
export const isBlockId = (id: string): boolean => paneKindOf(id) !== undefined
