import { isSameArrangement, type Layout, parseLayout } from './layout.ts'
import type { LayoutStore, SavedLayout } from './layout-store.ts'

/** The view that shows the layout and lets the user change it. */
export interface LayoutView {
  show(layout: Layout): void
  /** True while the user drags. A layout that arrives meanwhile is shown afterwards. */
  readonly busy: boolean
  onIdle(handler: () => void): () => void
}

export interface FollowOptions {
  store: LayoutStore
  workspace: string
  view: LayoutView
  first: Layout
  /** Whether this page can show the block with this id. */
  isBlock(id: string): boolean
  /** Do not save: with an observe token, changes apply to this window only. */
  readOnly: boolean
  /** Delay from the last change by the user to the save, in ms. Default: 250. */
  settleMs?: number
  onProblem(error: unknown): void
}

/**
 * Keeps the layout of a window equal to the one that the daemon stores: the last change wins in all windows. Each
 * window has its own front tabs; the saved ones only apply to new windows.
 */
export interface LayoutFollower {
  /** To call when the user has changed the layout. */
  changed(layout: Layout): void
  close(): void
}

export function followLayout(options: FollowOptions): LayoutFollower {
  const { store, workspace, view, first, readOnly, settleMs = 250, onProblem } = options
  let revision = 0
  let shown: Layout | undefined
  let wanted: Layout | undefined
  let waiting: SavedLayout | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let saving: Promise<void> | undefined

  const show = (saved: SavedLayout) => {
    if (saved.revision <= revision) return
    if (view.busy) {
      waiting = saved
      return
    }
    revision = saved.revision
    // The user has a change that is not saved yet; it replaces this layout.
    if (wanted) return
    let layout: Layout
    try {
      layout = parseLayout(saved.layout, options.isBlock)
    } catch (error) {
      return onProblem(error)
    }
    if (shown && isSameArrangement(shown, layout)) return
    shown = layout
    view.show(layout)
  }

  const showFirst = () => {
    if (shown) return
    shown = first
    view.show(first)
  }

  const load = async () => {
    const saved = await store.get(workspace)
    if (saved) show(saved)
    // Needed also when the saved layout cannot be shown.
    showFirst()
  }

  const save = async () => {
    while (wanted) {
      const layout = wanted
      wanted = undefined
      const answer = await store.save(workspace, layout, revision).catch((error: unknown) => {
        // Keep it for the next attempt, when the daemon is back.
        wanted ??= layout
        throw error
      })
      if (answer !== 'conflict') revision = Math.max(revision, answer)
      else if (!wanted) {
        // Another client saved first, and the user has not changed anything since. Show that client's layout.
        shown = undefined
        await load()
      } else revision = (await store.get(workspace))?.revision ?? 0
    }
  }

  const startSaving = () => {
    saving ??= save()
      .catch(onProblem)
      .finally(() => (saving = undefined))
  }

  const unfollow = store.onChange(workspace, saved => {
    if (saved === 'missed') {
      if (wanted) startSaving()
      else load().catch(onProblem).finally(showFirst)
    }
    // The event may be the echo of our own save, and may come before its answer.
    else if (saving) void saving.then(() => show(saved))
    else show(saved)
  })
  const detach = view.onIdle(() => {
    const saved = waiting
    waiting = undefined
    if (saved) show(saved)
  })

  return {
    changed(layout) {
      if (shown && isSameArrangement(shown, layout)) return
      shown = layout
      if (readOnly) return
      wanted = layout
      clearTimeout(timer)
      timer = setTimeout(startSaving, settleMs)
    },
    close() {
      clearTimeout(timer)
      unfollow()
      detach()
    },
  }
}
