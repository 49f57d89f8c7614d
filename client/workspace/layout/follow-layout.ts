import { isSameArrangement, type Layout, parseLayout } from './layout.ts'
import type { LayoutStore, SavedLayout } from './layout-store.ts'

/** What shows the layout and lets the user change it. */
export interface LayoutView {
  show(layout: Layout): void
  /** While the user drags, nothing is moved under their hands. */
  readonly busy: boolean
  onIdle(handler: () => void): () => void
}

export interface FollowOptions {
  store: LayoutStore
  workspace: string
  view: LayoutView
  first: Layout
  /** Whether this page can show the block of that id. */
  isBlock(id: string): boolean
  /** Nothing is saved: who may only watch arranges things for themselves. */
  readOnly: boolean
  /** What the user does settles for so long before it is saved. */
  settleMs?: number
  onProblem(error: unknown): void
}

/**
 * Keeps a window and the daemon at one layout: whoever changed it last has it, everywhere. Which tab is in front is a
 * window's own; what is saved of it is only how a new window begins.
 */
export interface LayoutFollower {
  /** The user has changed something. */
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
    // The user has just changed something: that is on its way, and later.
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
    // Also where what is saved cannot be shown.
    showFirst()
  }

  const save = async () => {
    while (wanted) {
      const layout = wanted
      wanted = undefined
      const answer = await store.save(workspace, layout, revision).catch((error: unknown) => {
        // Tried again when the daemon is back.
        wanted ??= layout
        throw error
      })
      if (answer !== 'conflict') revision = Math.max(revision, answer)
      else if (!wanted) {
        // Somebody else was first: theirs is what everybody sees.
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
    // What we are saving ourselves comes back as well, perhaps before its answer.
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
