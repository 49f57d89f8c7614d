import { parseBlockId } from '../../layout/block.ts'
import { sessionLook } from '../../panes/session-look.ts'
import { blockProject, blockTitle, tabLabel } from '../../panes/titles.ts'
import { paneKindOf } from '../../panes/registry.ts'
import { Icon } from '../../parts/icons.tsx'
import { useWorkspace } from '../../context/workspace.ts'

/**
 * The content of a tab. Its close mark is for the mouse only: a tab must hold no button, and the keyboard has a
 * command.
 */
export function Tab({ id }: { id: string }) {
  const { paneManager, records } = useWorkspace()
  const waiting = id === 'approvals' ? records.approvals.value.length : 0
  const sessions = records.sessions.value
  const project = blockProject(id, sessions)
  return (
    <div
      class="tab-face"
      title={tabLabel(id, sessions, waiting)}
      onAuxClick={event => {
        if (event.button === 1) paneManager.close(id)
      }}
    >
      <TabMark id={id} />
      <span class="clip" dir="auto">
        {blockTitle(id, sessions)}
      </span>{' '}
      {project && <span class="clip dim tab-project">{project}</span>}
      {waiting > 0 && <span class="count">{waiting}</span>}
      <span
        class="tab-close"
        aria-hidden="true"
        title="Close"
        onPointerDown={event => event.stopPropagation()}
        onClick={event => {
          event.stopPropagation()
          paneManager.close(id)
        }}
      >
        <Icon name="close" />
      </span>
    </div>
  )
}

/** The icon of a block; for a conversation, the state of its session. */
export function TabMark({ id }: { id: string }) {
  const { records } = useWorkspace()
  const block = parseBlockId(id)
  if (block?.kind === 'session' && block.session !== undefined) {
    const session = records.sessions.value.get(block.session)
    if (!session) return <span class="dot closed" />
    const asked = records.approvals.value.filter(approval => approval.session === block.session).length
    const active = records.active.value.get(block.session) ?? []
    const { dot, words } = sessionLook(session, { active, ended: records.ended.value.get(block.session), asked })
    return (
      <>
        <span class={`dot ${dot}`} aria-hidden="true" />
        <span class="unseen">{words}:</span>
      </>
    )
  }
  return <Icon name={paneKindOf(id)?.icon ?? 'help'} />
}

/** The buttons beside the tabs of a pane. */
export function TabActions({ shownIn }: { shownIn(): string | undefined }) {
  const { paneManager } = useWorkspace()
  const act = (what: (id: string) => void) => () => {
    const id = shownIn()
    if (id !== undefined) what(id)
  }
  const { maximised } = paneManager
  return (
    <>
      <button
        type="button"
        class="button plain square"
        aria-label="Split to the right"
        title="Split to the right"
        onClick={act(id => paneManager.panes.value?.split(id, 'right'))}
      >
        <Icon name="splitRight" />
      </button>
      <button
        type="button"
        class="button plain square"
        aria-label={maximised.value ? 'Restore the pane' : 'Maximise the pane'}
        title={maximised.value ? 'Restore' : 'Maximise'}
        onClick={act(id => paneManager.panes.value?.maximise(id))}
      >
        <Icon name={maximised.value ? 'restore' : 'maximise'} />
      </button>
    </>
  )
}
