import type { Mux, Workspace } from '../../sdk/browser.ts'
import { followCollection } from '../../sdk/collection.ts'
import { headOf } from '../read-lists.ts'

/** Stores layouts on the daemon, so that all windows of a workspace show the same layout. */
export interface LayoutStore {
  /** Returns undefined if no layout is saved. */
  get(workspace: string): Promise<SavedLayout | undefined>
  /** Returns the new revision, or `conflict` when `base` (0: none saved) is no longer the latest revision. */
  save(workspace: string, layout: unknown, base: number): Promise<number | 'conflict'>
  /**
   * Calls the handler with each layout that any client saves, this window included. Calls it with `missed` when the
   * layout has to be read: at first, after a lost connection or a gap, and when the topic cannot be followed.
   */
  onChange(workspace: string, handler: (saved: SavedLayout | 'missed') => void): () => void
  names(): Promise<string[]>
}

export type SavedLayout = Pick<Workspace, 'layout' | 'revision'>

export function createLayoutStore(mux: Mux): LayoutStore {
  const { workspace: calls } = mux.api
  return {
    get: workspace => expecting(calls.get({ workspace }), { not_found: undefined }),
    save: (workspace, layout, base) =>
      expecting(
        calls.save({ workspace, layout, base }).then(({ revision }) => revision),
        { conflict: 'conflict' as const },
      ),
    onChange(workspace, handler) {
      const leaving = new AbortController()
      const { signal } = leaving
      const topic = 'workspaces'
      followCollection({
        connection: mux,
        subscribe: mux.subscribe,
        topic,
        head: () => headOf(mux, topic, signal),
        list: () => handler('missed'),
        change(event) {
          if (event.type === 'workspace_changed' && event.workspace.workspace === workspace) handler(event.workspace)
        },
        signal,
      }).catch(() => {
        // If the topic cannot be followed, the layout is read once.
        if (!signal.aborted) handler('missed')
      })
      return () => leaving.abort()
    },
    names: async () => (await calls.list({})).workspaces.map(saved => saved.workspace),
  }
}

/** Returns the answer of a call; for an error of one of `kinds`, the value given for it. Other errors are thrown. */
const expecting = <Answer, Other>(call: Promise<Answer>, kinds: Record<string, Other>): Promise<Answer | Other> =>
  call.catch((error: { kind?: string }) => {
    if (error.kind !== undefined && error.kind in kinds) return kinds[error.kind]!
    throw error
  })
