import { computed } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { useWorkspace } from '../context/workspace.ts'
import { ConversationPane } from '../conversation/conversation-pane.tsx'
import { type Block } from '../layout/block.ts'

/** A session's conversation. */
export function SessionBlock({ session, active }: { session: string; active: boolean }) {
  const { mux, readOnly, paneManager, records, overlay } = useWorkspace()
  // A computed signal, so that changes to other sessions do not render this pane. The conversation schedules its own
  // rendering.
  const isGone = useMemo(
    () => computed(() => records.loaded.value && !records.sessions.value.has(session)),
    [records, session],
  )
  if (isGone.value) return <p class="empty">This session is no longer there: it was deleted, here or elsewhere.</p>
  return (
    <ConversationPane
      mux={mux}
      session={session}
      readOnly={readOnly}
      active={active}
      onOpen={(block: Block) => paneManager.show(block)}
      onNewSession={(prompt, directory) => (overlay.value = { kind: 'new-session', prompt, directory })}
    />
  )
}
