import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { type Block, blockId, parseBlockId, sessionList } from '../layout/block.ts'
import { withBlock, withoutBlock } from '../layout/edit-layout.ts'
import { emptyLayout, groupsOf, type Layout, withShown } from '../layout/layout.ts'
import type { WindowView } from './window-view.ts'

export type Direction = 'left' | 'right' | 'up' | 'down'
export type Where = 'tab' | 'right' | 'below'

/** The operations of a view that shows several panes side by side. Ids are block ids. */
export interface Panes {
  show(layout: Layout): void
  open(id: string, where: Where, beside: string | undefined): void
  close(id: string): void
  focus(id: string): void
  /** Focuses the pane beyond that edge. */
  step(direction: Direction): void
  /** Shows the next tab of the same pane. */
  turn(by: 1 | -1): void
  /** Moves a tab to a new pane beside its current one. */
  split(id: string, where: 'right' | 'below'): void
  /** Moves a tab to the pane beyond that edge. */
  move(id: string, direction: Direction): void
  resize(by: number): void
  maximise(id: string): void
}

/** The open blocks and their layout. Commands act on it, whichever view shows it. */
export interface PaneManager {
  layout: ReadonlySignal<Layout>
  /** Ids of the open blocks, in reading order. */
  open: ReadonlySignal<readonly string[]>
  active: ReadonlySignal<string | undefined>
  maximised: ReadonlySignal<boolean>
  show(block: Block, where?: Where): void
  close(id?: string): void
  focus(id: string): void
  /** Undefined while the page shows one block at a time. */
  panes: ReadonlySignal<Panes | undefined>

  /** Called by the view that shows the blocks. The returned function detaches it. */
  attach(panes: Panes): () => void
  changed(layout: Layout): void
  activated(id: string | undefined): void
  maximisedChanged(maximised: boolean): void
  /** Applies a layout from another window. Each pane keeps its front tab. */
  apply(layout: Layout): void
  /** Called when the user has changed the layout. */
  onChange(handler: (layout: Layout) => void): void
}

export function createPaneManager(ownView: WindowView): PaneManager {
  const layout = signal<Layout>(emptyLayout)
  const active = signal<string | undefined>()
  const maximised = signal(false)
  const panes = signal<Panes | undefined>()
  let onChange = (_layout: Layout) => {}

  const open = computed(() => groupsOf(layout.value.root).flatMap(({ tabs }) => tabs))
  const keepActive = () => {
    active.value ??= ownView.read().active
    if (active.value === undefined || !open.value.includes(active.value)) {
      active.value = groupsOf(layout.value.root).find(({ shown }) => shown)?.shown
    }
  }
  const changed = (next: Layout) => {
    layout.value = next
    keepActive()
    keepView()
    onChange(next)
  }
  const inFront = () => groupsOf(layout.value.root).map(({ shown }) => shown)
  /** Stores the front tabs of this window, so that a reload shows them again. */
  const keepView = () => ownView.keep({ active: active.value, shown: inFront() })

  /**
   * Returns the front block of the group that a new block joins by default: the active group unless it holds the
   * session list, else a group with a block of the same kind, else the group without the session list that has the
   * largest `share`.
   */
  const companionOf = (id: string): string | undefined => {
    const kind = parseBlockId(id)?.kind
    const groups = groupsOf(layout.value.root)
    const withLike = groups.find(({ tabs }) => tabs.some(tab => parseBlockId(tab)?.kind === kind))
    const free = groups.filter(({ tabs }) => !tabs.includes(blockId(sessionList)))
    const current = free.find(({ tabs }) => active.value !== undefined && tabs.includes(active.value))
    return (current ?? withLike ?? free.sort((a, b) => b.share - a.share)[0])?.shown
  }

  return {
    layout,
    open,
    active,
    maximised,
    panes,
    show(block, where = 'tab') {
      const id = blockId(block)
      const beside = where === 'tab' ? companionOf(id) : active.value
      if (panes.value && open.value.includes(id)) panes.value.focus(id)
      else if (panes.value) panes.value.open(id, where === 'tab' && beside === undefined ? 'right' : where, beside)
      else {
        active.value = id
        changed(withBlock(layout.value, id, beside))
      }
    },
    close(id = active.value) {
      if (id === undefined) return
      if (panes.value) panes.value.close(id)
      else changed(withoutBlock(layout.value, id))
    },
    focus(id) {
      if (panes.value) panes.value.focus(id)
      else {
        active.value = id
        changed(withBlock(layout.value, id))
      }
    },
    attach(view) {
      panes.value = view
      view.show(layout.value)
      return () => {
        panes.value = undefined
        maximised.value = false
      }
    },
    changed,
    activated(id) {
      if (id === undefined) return
      active.value = id
      keepView()
    },
    maximisedChanged(value) {
      maximised.value = value
    },
    apply(next) {
      const own = layout.value.root ? inFront() : ownView.read().shown
      // The active block comes first, because another block may have moved in beside it.
      const first = active.value ?? ownView.read().active
      layout.value = withShown(next, first === undefined ? own : [first, ...own])
      keepActive()
      panes.value?.show(layout.value)
    },
    onChange(handler) {
      onChange = handler
    },
  }
}
