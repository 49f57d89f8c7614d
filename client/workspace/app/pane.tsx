import { blockOf } from '../blocks/block.ts'
import { ApprovalsBlock } from '../blocks/approvals.tsx'
import { DaemonBlock } from '../blocks/daemon.tsx'
import { FramesBlock } from '../blocks/frames.tsx'
import { SessionBlock } from '../blocks/session.tsx'
import { SessionsBlock } from '../blocks/sessions.tsx'
import { UsageBlock } from '../blocks/usage.tsx'
import { useWorkspace } from './workspace.ts'

/** The block of that id, filling its pane. */
export function Pane({ id }: { id: string }) {
  const { desk } = useWorkspace()
  const block = blockOf(id)
  const active = desk.active.value === id
  switch (block?.kind) {
    case 'sessions':
      return <SessionsBlock />
    case 'approvals':
      return <ApprovalsBlock active={active} />
    case 'usage':
      return <UsageBlock />
    case 'daemon':
      return <DaemonBlock />
    case 'session':
      return <SessionBlock session={block.session} active={active} />
    case 'frames':
      return <FramesBlock session={block.session} />
    case undefined:
      return <p class="empty">This page knows no block {id}.</p>
  }
}
