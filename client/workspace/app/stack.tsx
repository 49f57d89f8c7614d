import { blockTitle } from '../panes/titles.ts'
import { Icon } from '../parts/icons.tsx'
import { Pane } from '../panes/pane.tsx'
import { useWorkspace } from '../context/workspace.ts'

/** One block at a time, where there is no room for more: the others are a choice away. */
export function Stack() {
  const { desk, overlay } = useWorkspace()
  const active = desk.active.value
  return (
    <div class="stack">
      <div class="stack-bar">
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
          onClick={() => desk.close()}
        >
          <Icon name="close" />
        </button>
      </div>
      <div class="stack-pane">
        {active === undefined ? <p class="empty">Nothing is open.</p> : <Pane key={active} id={active} />}
      </div>
    </div>
  )
}

/** By itself: titles change with any session, and the pane is not drawn anew for that. */
function ShownBlock() {
  const { desk, records } = useWorkspace()
  const sessions = records.sessions.value
  return (
    <label class="stack-choice">
      <span class="unseen">Shown block</span>
      <select class="field" value={desk.active.value ?? ''} onChange={event => desk.focus(event.currentTarget.value)}>
        {desk.open.value.map(id => (
          <option key={id} value={id}>
            {blockTitle(id, sessions)}
          </option>
        ))}
      </select>
    </label>
  )
}
