import { blockTitle } from '../../panes/titles.ts'
import { Icon } from '../../parts/icons.tsx'
import { Pane } from '../../panes/pane.tsx'
import { useWorkspace } from '../../context/workspace.ts'

/** Shows one block at a time in a narrow window, with a choice of the others. */
export function NarrowLayout() {
  const { paneManager, overlay } = useWorkspace()
  const active = paneManager.active.value
  return (
    <div class="narrow-layout">
      <div class="narrow-layout-bar">
        <ShownBlock />
        <button
          type="button"
          class="button plain square"
          aria-label="Open a block"
          title="Open a block"
          onClick={() => (overlay.value = { kind: 'palette', query: 'Open ' })}
        >
          <Icon name="add" />
        </button>
        <button
          type="button"
          class="button plain square"
          aria-label="Close this block"
          title="Close"
          disabled={active === undefined}
          onClick={() => paneManager.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      <div class="narrow-layout-pane">
        {active === undefined ? <p class="empty">Nothing is open.</p> : <Pane key={active} id={active} />}
      </div>
    </div>
  )
}

/** A component of its own, so that a changed title of any session does not redraw the pane. */
function ShownBlock() {
  const { paneManager, records } = useWorkspace()
  const sessions = records.sessions.value
  return (
    <label class="narrow-layout-choice">
      <span class="unseen">Shown block</span>
      <select
        class="field"
        value={paneManager.active.value ?? ''}
        onChange={event => paneManager.focus(event.currentTarget.value)}
      >
        {paneManager.open.value.map(id => (
          <option key={id} value={id}>
            {blockTitle(id, sessions)}
          </option>
        ))}
      </select>
    </label>
  )
}
