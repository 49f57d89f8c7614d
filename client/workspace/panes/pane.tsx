import { useWorkspace } from '../context/workspace.ts'
import { parseBlockId } from '../layout/block.ts'
import { paneKindOf } from './registry.ts'

/** Renders the block with this id. */
export function Pane({ id }: { id: string }) {
  const { paneManager } = useWorkspace()
  const pane = paneKindOf(id)
  const active = paneManager.active.value === id
  if (!pane) return <p class="empty">This page knows no block {id}.</p>
  if (pane.of === 'daemon') return <pane.component active={active} />
  return <pane.component session={parseBlockId(id)!.session!} active={active} />
}
