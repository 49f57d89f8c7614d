import { describe, expect, it, onTestFinished } from 'vitest'
import { followLayout } from '../../client/workspace/layout/follow-layout.ts'
import { firstLayout, type Layout } from '../../client/workspace/layout/layout.ts'
import { isBlockId } from '../../client/workspace/panes/registry.ts'
import type { LayoutStore, SavedLayout } from '../../client/workspace/layout/layout-store.ts'
import { until } from '../support/until.ts'

const layoutOf = (...tabs: string[]): Layout => ({ version: 1, root: { share: 1, tabs, shown: tabs[0]! } })

/** The daemon's side of a layout: counts revisions, detects conflicts, and notifies all windows. */
function createStore(first?: SavedLayout) {
  const handlers = new Set<(saved: SavedLayout | 'missed') => void>()
  const store = {
    saved: first,
    saves: 0,
    failing: false,
    get: async (): Promise<SavedLayout | undefined> => store.saved,
    async save(_: string, layout: unknown, base: number): Promise<number | 'conflict'> {
      store.saves++
      if (store.failing) throw new Error('no connection')
      if (base !== (store.saved?.revision ?? 0)) return 'conflict'
      return store.put(layout)
    },
    put(layout: unknown): number {
      const next = { layout, revision: (store.saved?.revision ?? 0) + 1 }
      store.saved = next
      for (const handler of handlers) handler(next)
      return next.revision
    },
    missed() {
      for (const handler of handlers) handler('missed')
    },
    onChange(_: string, handler: (saved: SavedLayout | 'missed') => void) {
      handlers.add(handler)
      handler('missed')
      return () => handlers.delete(handler)
    },
    names: async () => [],
  } satisfies LayoutStore & Record<string, unknown>
  return store
}

function createWindow(store: LayoutStore, options: { readOnly?: boolean } = {}) {
  let idle = () => {}
  let current = firstLayout
  const window = { shown: [] as Layout[], busy: false, letGo: () => idle(), problems: [] as unknown[] }
  const follower = followLayout({
    store,
    workspace: 'main',
    view: {
      show(layout) {
        current = layout
        window.shown.push(layout)
      },
      get busy() {
        return window.busy
      },
      onIdle(handler) {
        idle = handler
        return () => {}
      },
    },
    first: firstLayout,
    isBlock: isBlockId,
    readOnly: options.readOnly ?? false,
    settleMs: 0,
    onProblem: error => window.problems.push(error),
  })
  onTestFinished(follower.close)
  return Object.assign(window, {
    changed(layout: Layout) {
      current = layout
      follower.changed(layout)
    },
    current: () => current,
  })
}

describe('following a layout', () => {
  it('starts with the saved layout, or with a first one that is saved only once it is changed', async () => {
    const fresh = createStore()
    const window = createWindow(fresh)
    await until(() => expect(window.shown).toEqual([firstLayout]))
    expect(fresh.saved).toBeUndefined()
    const other = createWindow(createStore({ layout: layoutOf('usage'), revision: 7 }))
    await until(() => expect(other.shown).toEqual([layoutOf('usage')]))
    const broken = createWindow(createStore({ layout: { version: 9 }, revision: 1 }))
    await until(() => expect(broken.shown).toEqual([firstLayout]))
    expect(broken.problems).toHaveLength(1)
  })

  it('shows a change of one window in the others, without saving it again', async () => {
    const store = createStore()
    const [one, two] = [createWindow(store), createWindow(store)]
    await until(() => expect([one.shown.length, two.shown.length]).toEqual([1, 1]))
    one.changed(layoutOf('usage', 'daemon'))
    await until(() => expect(two.shown).toEqual([firstLayout, layoutOf('usage', 'daemon')]))
    expect(one.shown).toEqual([firstLayout])
    // Dockview reports the layout that it was given to show. That is not a change.
    two.changed(layoutOf('usage', 'daemon'))
    await until(() => expect(store.saves).toBe(1))
  })

  it('waits for the end of a drag, then shows the latest layout', async () => {
    const store = createStore()
    const window = createWindow(store)
    await until(() => expect(window.shown).toHaveLength(1))
    window.busy = true
    store.put(layoutOf('usage'))
    store.put(layoutOf('daemon'))
    expect(window.shown).toHaveLength(1)
    window.busy = false
    window.letGo()
    expect(window.shown).toEqual([firstLayout, layoutOf('daemon')])
  })

  it('gives all windows the layout of the last writer when two write at once', async () => {
    const store = createStore()
    const [one, two] = [createWindow(store), createWindow(store)]
    await until(() => expect([one.shown.length, two.shown.length]).toEqual([1, 1]))
    one.changed(layoutOf('usage'))
    two.changed(layoutOf('daemon'))
    await until(() => {
      expect(store.saves).toBe(2)
      expect([one.current(), two.current()]).toEqual([store.saved?.layout, store.saved?.layout])
    })
  })

  it('shows the layout of another client when its own save conflicts', async () => {
    const store = createStore()
    const window = createWindow(store)
    await until(() => expect(window.shown).toHaveLength(1))
    // The window has not been notified of this layout yet.
    store.saved = { layout: layoutOf('daemon'), revision: 3 }
    window.changed(layoutOf('usage'))
    await until(() => expect(window.shown.at(-1)).toEqual(layoutOf('daemon')))
    expect(store.saved.revision).toBe(3)
  })

  it('saves a change that failed without a connection once it is back', async () => {
    const store = createStore()
    const window = createWindow(store)
    await until(() => expect(window.shown).toHaveLength(1))
    store.failing = true
    window.changed(layoutOf('usage'))
    await until(() => expect(window.problems).toHaveLength(1))
    store.failing = false
    store.missed()
    await until(() => expect(store.saved?.layout).toEqual(layoutOf('usage')))
  })

  it('saves nothing for an observer, but follows changes', async () => {
    const store = createStore()
    const window = createWindow(store, { readOnly: true })
    await until(() => expect(window.shown).toHaveLength(1))
    window.changed(layoutOf('usage'))
    store.put(layoutOf('daemon'))
    expect(window.shown.at(-1)).toEqual(layoutOf('daemon'))
    expect(store.saves).toBe(0)
  })
})
