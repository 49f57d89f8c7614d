import { blockTitle } from '../blocks/titles.ts'
import { Icon } from '../parts/icons.tsx'
import { Pane } from './pane.tsx'
import { useWorkspace } from './workspace.ts'

/** One block at a time, where there is no room for more: the others are a choice away. */
export function Stack() {
  const { desk, records, overlay } = useWorkspace()
  const open = desk.open.value
  const active = desk.active.value
  const sessions = records.sessions.value
  return (
    <div class="stack">
      <div class="stack-bar">
        <label class="stack-choice">
          <span class="unseen">Shown block</span>
          <select class="field" value={active ?? ''} onChange={event => desk.focus(event.currentTarget.value)}>
            {open.map(id => (
              <option key={id} value={id}>
                {blockTitle(id, sessions)}
              </option>
            ))}
          </select>
        </label>
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
