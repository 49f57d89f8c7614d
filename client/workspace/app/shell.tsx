import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { approvalList } from '../layout/block.ts'
import { firstLayout } from '../layout/layout.ts'
import { followLayout } from '../layout/follow-layout.ts'
import { isBlockId } from '../panes/registry.ts'
import { Icon } from '../parts/icons.tsx'
import { Banners, Marks } from './banners.tsx'
import { type BusySign, createBusySign } from './blocks/busy.ts'
import { CancelRun } from './dialogs/cancel.tsx'
import { CloseSession } from './dialogs/close-session.tsx'
import { Dock } from './blocks/dock.tsx'
import { Help } from './commands/help.tsx'
import { ImportConversation } from './dialogs/import.tsx'
import { startKeyboard } from './commands/keyboard.ts'
import { chordText, isMac } from '../context/keys.ts'
import { Naming } from './dialogs/naming.tsx'
import { NewSession } from './dialogs/new-session.tsx'
import { announceApprovals } from '../approvals/notifications.tsx'
import { Palette } from './commands/palette.tsx'
import { NarrowLayout } from './blocks/narrow-layout.tsx'
import { nextTheme, theme } from '../theme.ts'
import { messageOf } from '../parts/format.ts'
import { useWorkspace, type Workspace } from '../context/workspace.ts'

/** Windows below this width show one block only. */
const narrow = matchMedia('(max-width: 719px)')

/** The connected page: the bar, the banners, the blocks and the open dialog. */
export function Shell() {
  const workspace = useWorkspace()
  const { overlay, notice } = workspace
  const busy = useMemo(createBusySign, [])
  const isNarrow = useSignal(narrow.matches)
  const loaded = useSignal(false)

  useEffect(() => {
    const look = () => (isNarrow.value = narrow.matches)
    narrow.addEventListener('change', look)
    const ends = [
      startKeyboard(workspace),
      announceApprovals(workspace),
      keepLayout(workspace, busy, () => (loaded.value = true)),
      () => narrow.removeEventListener('change', look),
    ]
    return () => {
      for (const end of ends) end()
    }
  }, [])

  const shown = overlay.value
  return (
    <div class="shell">
      <Bar />
      <Banners />
      <main class="blocks" aria-label="Blocks">
        {loaded.value && (isNarrow.value ? <NarrowLayout /> : <Dock busy={busy} />)}
      </main>
      {shown?.kind === 'palette' && <Palette query={shown.query} />}
      {shown?.kind === 'help' && <Help />}
      {shown?.kind === 'new-session' && <NewSession prompt={shown.prompt} directory={shown.directory} />}
      {shown?.kind === 'cancel' && <CancelRun run={shown.run} />}
      {shown?.kind === 'naming' && <Naming session={shown.session} />}
      {shown?.kind === 'close-session' && <CloseSession session={shown.session} />}
      {shown?.kind === 'import' && <ImportConversation />}
      <div class="notices" role="status">
        {notice.value && (
          <p key={notice.value.at} class={`notice ${notice.value.kind}`} dir="auto">
            {notice.value.text}
          </p>
        )}
      </div>
    </div>
  )
}

/** Shows the layout that the daemon stores, and stores the changes of the user there. */
function keepLayout({ name, layouts, paneManager, readOnly, say }: Workspace, busy: BusySign, onLoaded: () => void) {
  const follower = followLayout({
    store: layouts,
    workspace: name,
    view: {
      show(layout) {
        paneManager.apply(layout)
        onLoaded()
      },
      get busy() {
        return busy.busy
      },
      onIdle: busy.onIdle,
    },
    first: firstLayout,
    isBlock: isBlockId,
    readOnly,
    onProblem(error) {
      // A banner already shows a lost connection.
      if ((error as { kind?: unknown }).kind !== 'unavailable') say(`The layout: ${messageOf(error)}`, 'problem')
    },
  })
  paneManager.onChange(follower.changed)
  return follower.close
}

function Bar() {
  const { name, overlay, paneManager, records, readOnly, connection } = useWorkspace()
  const waiting = records.approvals.value.length
  const { state } = connection.status.value
  return (
    <header class="bar">
      <h1>
        <span class={`dot ${state === 'open' ? 'good' : 'waiting'}`} aria-hidden="true" />
        muxd
        <span class="unseen">, {state === 'open' ? 'connected' : 'not connected'}</span>
      </h1>
      {name !== 'main' && <span class="chip">{name}</span>}
      <Marks />
      <button type="button" class="bar-search" onClick={() => (overlay.value = { kind: 'palette' })}>
        <Icon name="search" />
        <span class="clip">Search, or do something</span>
        <kbd>{chordText('Mod+KeyK', isMac())}</kbd>
      </button>
      <button
        type="button"
        class={`button plain ${waiting ? 'asked' : ''}`}
        aria-label={`Approvals, ${waiting} waiting`}
        title="Approvals"
        onClick={() => paneManager.show(approvalList)}
      >
        <Icon name="approvals" />
        {waiting > 0 && <span class="count">{waiting}</span>}
      </button>
      <button
        type="button"
        class="button plain square"
        aria-label={`Theme: ${theme.value}`}
        title={`Theme: ${theme.value}`}
        onClick={nextTheme}
      >
        <Icon name="theme" />
      </button>
      <button
        type="button"
        class="button plain square wide-only"
        aria-label="Keyboard"
        title="Keyboard"
        onClick={() => (overlay.value = { kind: 'help' })}
      >
        <Icon name="help" />
      </button>
      {!readOnly && (
        <button type="button" class="button primary" onClick={() => (overlay.value = { kind: 'new-session' })}>
          <Icon name="add" />
          <span>
            New<span class="wide-only"> session</span>
          </span>
        </button>
      )}
    </header>
  )
}
