import type { Mux } from '../../browser.ts'
import { apiOf, type StoredLayout, type WorkspaceChanged } from '../wire.ts'

/** Where layouts are kept, so that every window of a workspace shows the same. */
export interface LayoutStore {
  /** Undefined where none was saved yet, or where the daemon keeps none. */
  get(workspace: string): Promise<SavedLayout | undefined>
  /** Tells the new revision, or `conflict` when `base` is no longer the latest. */
  save(workspace: string, layout: unknown, base: number | undefined): Promise<number | 'conflict' | 'unsupported'>
  /** Calls back with what anybody saves, this window included. */
  onChange(workspace: string, handler: (saved: SavedLayout | 'missed') => void): () => void
  names(): Promise<string[]>
}

export type SavedLayout = Pick<StoredLayout, 'layout' | 'revision'>

export function createLayoutStore(mux: Mux): LayoutStore {
  const { workspace: calls } = apiOf(mux)
  return {
    get: workspace => expecting(calls.get({ workspace }), { not_found: undefined, unknown_method: undefined }),
    save: (workspace, layout, base) =>
      expecting(
        calls.save({ workspace, layout, ...(base !== undefined && { base }) }).then(({ revision }) => revision),
        { conflict: 'conflict', unknown_method: 'unsupported' },
      ),
    onChange(workspace, handler) {
      const leaving = new AbortController()
      void follow(mux, workspace, handler, leaving.signal)
      return () => leaving.abort()
    },
    names: () =>
      expecting(
        calls.list({}).then(({ workspaces }) => workspaces.map(saved => saved.workspace)),
        { unknown_method: [] },
      ),
  }
}

async function follow(
  mux: Mux,
  workspace: string,
  handler: (saved: SavedLayout | 'missed') => void,
  signal: AbortSignal,
): Promise<void> {
  // The topic is newer than the types of topics that this page was built with.
  const topic = 'workspaces' as 'sessions'
  try {
    for await (const event of mux.subscribe(topic, { signal })) {
      if (event.type === 'gap') handler('missed')
      else {
        const change = event as unknown as WorkspaceChanged
        if (change.type === 'workspace_changed' && change.workspace === workspace) handler(change)
      }
    }
  } catch (error) {
    // Left, closed, or a daemon that has no such topic.
    if (!signal.aborted && mux.state !== 'closed' && !isRefused(error)) console.error(error)
  }
}

const isRefused = (error: unknown) => ['invalid_params', 'not_found'].includes((error as { kind: string }).kind)

/** The answer of a call, or what stands for an error of one of these kinds. */
const expecting = <Answer, Other>(call: Promise<Answer>, kinds: Record<string, Other>): Promise<Answer | Other> =>
  call.catch((error: { kind?: string }) => {
    if (error.kind !== undefined && error.kind in kinds) return kinds[error.kind]!
    throw error
  })
