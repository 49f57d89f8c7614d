import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { type Block, blockId, parseBlockId, sessionList } from '../layout/block.ts'
import { withBlock, withoutBlock } from '../layout/edit-layout.ts'
import { emptyLayout, groupsOf, type Layout, withShown } from '../layout/layout.ts'
import type { WindowView } from './window-view.ts'

export type Direction = 'left' | 'right' | 'up' | 'down'
export type Where = 'tab' | 'right' | 'below'

/** What a desk of several panes side by side can do beyond showing one at a time. Ids are those of blocks. */
export interface Panes {
  show(layout: Layout): void
  open(id: string, where: Where, beside: string | undefined): void
  close(id: string): void
  focus(id: string): void
  /** The pane beyond that edge gets the focus. */
  step(direction: Direction): void
  /** The next tab of the same pane. */
  turn(by: 1 | -1): void
  /** Moves a tab to a pane of its own beside the others it was with. */
  split(id: string, where: 'right' | 'below'): void
  /** Moves a tab to the pane beyond that edge. */
  move(id: string, direction: Direction): void
  resize(by: number): void
  maximise(id: string): void
}

/** The open blocks and how they lie: what the commands act on, whatever shows them. */
export interface Desk {
  layout: ReadonlySignal<Layout>
  /** Ids of the open blocks, in reading order. */
  open: ReadonlySignal<readonly string[]>
  active: ReadonlySignal<string | undefined>
  maximised: ReadonlySignal<boolean>
  show(block: Block, where?: Where): void
  close(id?: string): void
  focus(id: string): void
  /** Does nothing where one block is seen at a time. */
  panes: ReadonlySignal<Panes | undefined>

  /** From what shows the desk: it does so until the returned function is called. */
  attach(panes: Panes): () => void
  changed(layout: Layout): void
  activated(id: string | undefined): void
  maximisedChanged(maximised: boolean): void
  /** From elsewhere: everything is to lie like this. What is in front stays in front. */
  apply(layout: Layout): void
  /** The user changed the layout. */
  onChange(handler: (layout: Layout) => void): void
}

export function createDesk(ownView: WindowView): Desk {
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
  /** Over a reload the window has the same in front, whatever other windows have. */
  const keepView = () => ownView.keep({ active: active.value, shown: inFront() })

  /** Where a block is opened unless told: with its like, never over the list it was chosen from. */
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
      // The block at work first: another may have moved in beside it.
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
