import { effect } from '@preact/signals'
import { createDockview, type DockviewApi } from 'dockview-core'
import { type JSX, render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { tabLabel } from '../../panes/titles.ts'
import { fromDockview, toDockview } from '../../layout/dockview-layout.ts'
import { groupsOf, isSameLayout } from '../../layout/layout.ts'
import type { BusySign } from './busy.ts'
import type { Direction, Panes } from '../../context/pane-manager.ts'
import { Pane } from '../../panes/pane.tsx'
import { Tab, TabActions } from './tab.tsx'
import { useWorkspace, type Workspace, WorkspaceContext } from '../../context/workspace.ts'

const theme = { name: 'muxd', className: 'dock', dndTabIndicator: 'line' } as const

/** Shows all open blocks in panes that can be moved, resized and stacked as tabs. */
export function Dock({ busy }: { busy: BusySign }) {
  const workspace = useWorkspace()
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const { paneManager, records } = workspace
    const api = createDockview(ref.current!, {
      theme,
      disableFloatingGroups: true,
      announcements: true,
      createComponent: ({ id }) => rendered(workspace, 'pane', () => <Pane id={id} />),
      createTabComponent: ({ id }) => rendered(workspace, 'tab', () => <Tab id={id} />),
      defaultTabComponent: 'tab',
      createRightHeaderActionComponent: group =>
        rendered(workspace, 'tab-actions', () => <TabActions shownIn={() => group.activePanel?.id} />),
      createWatermarkComponent: () => rendered(workspace, 'nothing-open', () => <NothingOpen />),
    })
    // Changes that the pane manager applies are not changes by the user.
    let applying = false
    const titleOf = (id: string) => tabLabel(id, records.sessions.peek(), records.approvals.peek().length)
    const panes = createPanes(
      api,
      titleOf,
      () => paneManager.active.peek(),
      apply => {
        applying = true
        try {
          apply()
        } finally {
          applying = false
        }
      },
    )
    const disposables = [
      api.onDidLayoutChange(() => {
        if (applying) return
        const layout = fromDockview(api.toJSON())
        if (!isSameLayout(layout, paneManager.layout.peek())) paneManager.changed(layout)
      }),
      api.onDidActivePanelChange(() => {
        if (!applying) paneManager.activated(api.activePanel?.id)
      }),
      api.onDidMaximizedGroupChange(() => paneManager.maximisedChanged(api.hasMaximizedGroup())),
    ]
    // Keep the accessible names of the tabs up to date.
    const untitle = effect(() => {
      const sessions = records.sessions.value
      const waiting = records.approvals.value.length
      for (const { id, api: panel } of api.panels) panel.setTitle(tabLabel(id, sessions, waiting))
    })
    const unwatch = busy.watch(ref.current!)
    const detach = paneManager.attach(panes)
    return () => {
      detach()
      unwatch()
      untitle()
      for (const { dispose } of disposables) dispose()
      api.dispose()
    }
  }, [])
  return <div class="dock-holder" ref={ref} />
}

function NothingOpen() {
  const { overlay } = useWorkspace()
  return (
    <div class="empty">
      <p>Nothing is open.</p>
      <button type="button" class="button" onClick={() => (overlay.value = { kind: 'palette', query: 'Open ' })}>
        Open a block
      </button>
    </div>
  )
}

/** Makes a part of dockview that a component renders. */
function rendered(workspace: Workspace, className: string, draw: () => JSX.Element) {
  const element = document.createElement('div')
  element.className = className
  return {
    element,
    init() {
      render(<WorkspaceContext.Provider value={workspace}>{draw()}</WorkspaceContext.Provider>, element)
    },
    dispose() {
      render(null, element)
    },
  }
}

function createPanes(
  api: DockviewApi,
  titleOf: (id: string) => string,
  activeOf: () => string | undefined,
  silently: (apply: () => void) => void,
): Panes {
  const panelOf = (id: string) => api.getPanel(id)
  const groupOf = (id: string) => api.groups.find(group => group.id === id)!
  const add = (id: string, position?: Parameters<DockviewApi['addPanel']>[0]['position']) =>
    api.addPanel({ id, component: 'block', title: titleOf(id), ...(position && { position }) })
  const beyond = (direction: Direction) => {
    const { activeGroup } = api
    return activeGroup && api.adjacentGroupInDirection(activeGroup, direction)
  }
  return {
    show(layout) {
      const returnFocus = keepFocus()
      silently(() => {
        const active = api.activePanel?.id
        api.fromJSON(toDockview(layout, { width: api.width, height: api.height }, titleOf), {
          reuseExistingPanels: true,
        })
        // `fromJSON` makes new groups. Activate the panel that was active, if it is still in front of its group.
        const next = panelOf(active ?? activeOf() ?? '') ?? panelOf(groupsOf(layout.root)[0]?.shown ?? '')
        if (next && next.group.activePanel === next) next.api.setActive()
      })
      returnFocus()
    },
    open(id, where, beside) {
      const reference = beside === undefined ? undefined : panelOf(beside)
      const direction = where === 'tab' ? 'within' : where
      if (reference) add(id, { referencePanel: reference, direction })
      else add(id, { direction: where === 'below' ? 'below' : 'right' })
      focusContent(api, id)
    },
    close(id) {
      panelOf(id)?.api.close()
      focusContent(api, api.activePanel?.id)
    },
    focus(id) {
      panelOf(id)?.api.setActive()
      focusContent(api, id)
    },
    step(direction) {
      beyond(direction)?.activePanel?.api.setActive()
      focusContent(api, api.activePanel?.id)
    },
    turn(by) {
      if (by > 0) api.activateNext({ includePanel: true, group: api.activeGroup! })
      else api.activatePrevious({ includePanel: true, group: api.activeGroup! })
      focusContent(api, api.activePanel?.id)
    },
    split(id, where) {
      const panel = panelOf(id)
      if (!panel || panel.group.panels.length < 2) return
      panel.api.moveTo({ group: groupOf(panel.group.id), position: where === 'right' ? 'right' : 'bottom' })
      focusContent(api, id)
    },
    move(id, direction) {
      const panel = panelOf(id)
      const target = panel && api.adjacentGroupInDirection(panel.group, direction)
      const edges = { left: 'left', right: 'right', up: 'top', down: 'bottom' } as const
      if (target) panel.api.moveTo({ group: groupOf(target.id), position: 'center' })
      else panel?.api.moveTo({ group: groupOf(panel.group.id), position: edges[direction] })
      focusContent(api, id)
    },
    resize(by) {
      const group = api.activeGroup
      if (!group) return
      const widest = api.groups.every(({ width }) => width === api.width)
      if (widest) group.api.setSize({ height: group.height * (1 + by) })
      else group.api.setSize({ width: group.width * (1 + by) })
    },
    maximise(id) {
      const panel = panelOf(id)
      if (api.hasMaximizedGroup()) api.exitMaximizedGroup()
      else if (panel) api.maximizeGroup(panel)
      focusContent(api, id)
    },
  }
}

/**
 * Saves the focus and the scroll positions, which panels lose when they move. Returns a function that restores them.
 */
function keepFocus(): () => void {
  const { activeElement: focused } = document
  const scrolled = [...document.querySelectorAll('.pane *')]
    .filter(({ scrollTop, scrollLeft }) => scrollTop > 0 || scrollLeft > 0)
    .map(element => ({ element, top: element.scrollTop, left: element.scrollLeft }))
  return () => {
    for (const { element, top, left } of scrolled) element.scrollTo({ top, left, behavior: 'instant' })
    if (focused instanceof HTMLElement && focused !== document.body && focused.isConnected)
      focused.focus({ preventScroll: true })
  }
}

/**
 * Focuses at once, so that the next key goes there, and once more in the next frame, because dockview moves the focus.
 */
function focusContent(api: DockviewApi, id: string | undefined): void {
  if (id === undefined) return
  const focus = () => {
    const content = api.getPanel(id)?.view.content.element
    const inner =
      content?.querySelector<HTMLElement>('[data-autofocus]') ?? content?.querySelector<HTMLElement>('.block')
    inner?.focus({ preventScroll: true })
  }
  focus()
  requestAnimationFrame(() => {
    const { activeElement } = document
    if (!api.getPanel(id)?.view.content.element.contains(activeElement)) focus()
  })
}
