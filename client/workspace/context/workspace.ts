import { type ReadonlySignal, signal, type Signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { ClientApi, HelloResult, Mux } from '../../sdk/browser.ts'
import type { Connection } from '../connect.ts'
import { createLayoutStore, type LayoutStore } from '../layout/layout-store.ts'
import { messageOf } from '../parts/format.ts'
import { followRecords, type Records } from '../records.ts'
import { createPaneManager, type PaneManager } from './pane-manager.ts'
import { createWindowView } from './window-view.ts'

/** The shared state and services of the page. */
export interface Workspace {
  name: string
  /** The names of all workspaces that the daemon has saved. */
  workspaces: ReadonlySignal<readonly string[]>
  layouts: LayoutStore
  connection: Connection
  mux: Mux
  api: ClientApi
  records: Records
  paneManager: PaneManager
  /** With an observe token the page shows no control that changes anything. */
  readOnly: boolean
  hello: ReadonlySignal<HelloResult>
  /** The open dialog; at most one. */
  overlay: Signal<Overlay | undefined>
  /** Announced to screen readers and shown for 4 s, problems for 10 s. */
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
  // The palette offers the names. If they cannot be read, it offers none.
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
