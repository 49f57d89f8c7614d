import { type ReadonlySignal, signal, type Signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { ClientApi, HelloResult, Mux } from '../../sdk/browser.ts'
import type { Connection } from '../connect.ts'
import { createLayoutStore, type LayoutStore } from '../layout/layout-store.ts'
import { followRecords, type Records } from '../records.ts'
import { createPaneManager, type PaneManager } from './pane-manager.ts'
import { createWindowView } from './window-view.ts'

/** What every part of the page works with. */
export interface Workspace {
  name: string
  /** The names of all that are saved on the daemon. */
  workspaces: ReadonlySignal<readonly string[]>
  layouts: LayoutStore
  connection: Connection
  mux: Mux
  api: ClientApi
  records: Records
  paneManager: PaneManager
  /** Who may only watch sees no control that changes anything. */
  readOnly: boolean
  hello: ReadonlySignal<HelloResult>
  /** What lies over everything, one at a time. */
  overlay: Signal<Overlay | undefined>
  /** Said to screen readers, and seen for a moment. */
  notice: ReadonlySignal<Notice | undefined>
  say(text: string, kind?: Notice['kind']): void
}

export type Overlay =
  | { kind: 'palette'; query?: string }
  | { kind: 'help' }
  | { kind: 'new-session'; prompt?: string; directory?: string }
  | { kind: 'cancel'; run: string }
  | { kind: 'naming'; session: string }
  | { kind: 'close-session'; session: string }
  | { kind: 'import' }

export interface Notice {
  text: string
  kind: 'info' | 'problem'
  at: number
}

export function createWorkspace(name: string, connection: Connection, hello: HelloResult): Workspace {
  const { mux } = connection
  const notice = signal<Notice | undefined>()
  const say = (text: string, kind: Notice['kind'] = 'info') => {
    const said: Notice = { text, kind, at: Date.now() }
    notice.value = said
    setTimeout(() => notice.value === said && (notice.value = undefined), kind === 'problem' ? 10_000 : 4_000)
  }
  const layouts = createLayoutStore(mux)
  const workspaces = signal<readonly string[]>([])
  // A list to choose from: without it there is none.
  layouts.names().then(
    names => (workspaces.value = names),
    () => {},
  )
  return {
    name,
    workspaces,
    layouts,
    connection,
    mux,
    api: mux.api,
    records: followRecords(mux, error => say(messageOf(error), 'problem')),
    paneManager: createPaneManager(createWindowView(name)),
    readOnly: hello.role === 'observe',
    hello: connection.hello as ReadonlySignal<HelloResult>,
    overlay: signal<Overlay | undefined>(),
    notice,
    say,
  }
}

export const WorkspaceContext = createContext<Workspace>(undefined as never)

export const useWorkspace = (): Workspace => useContext(WorkspaceContext)

/** What a failed call is to a person. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
