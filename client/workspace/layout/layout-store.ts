import type { Mux, Workspace } from '../../sdk/browser.ts'
import { followCollection } from '../../sdk/collection.ts'
import { headOf } from '../read-lists.ts'

/** Where layouts are kept, so that every window of a workspace shows the same. */
export interface LayoutStore {
  /** Undefined where none was saved yet. */
  get(workspace: string): Promise<SavedLayout | undefined>
  /** Tells the new revision, or `conflict` when `base` (0: none) is no longer the latest. */
  save(workspace: string, layout: unknown, base: number): Promise<number | 'conflict'>
  /** Calls back with what anybody saves, this window included; with `missed` when it has to be read, first of all. */
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
        // Where the topic cannot be followed the layout is read once.
        if (!signal.aborted) handler('missed')
      })
      return () => leaving.abort()
    },
    names: async () => (await calls.list({})).workspaces.map(saved => saved.workspace),
  }
}

/** The answer of a call, or what stands for an error of one of these kinds. */
const expecting = <Answer, Other>(call: Promise<Answer>, kinds: Record<string, Other>): Promise<Answer | Other> =>
  call.catch((error: { kind?: string }) => {
    if (error.kind !== undefined && error.kind in kinds) return kinds[error.kind]!
    throw error
  })
