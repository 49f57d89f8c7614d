import type { Actor, Workspace, WorkspaceSummary } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import type { WorkspaceTable } from '../store/store.ts'

export interface WorkspacesContext {
  table: WorkspaceTable
  /** Publishes a record to the subscribers of `workspaces`. */
  publish(record: object): void
  now: () => number
}

/** The methods that keep the layouts of pages. A change is stored, then published, then answered. */
export function workspaceHandlers({ table, publish, now }: WorkspacesContext): Pick<Handlers, 'workspace'> {
  const find = (name: string): Workspace => {
    const workspace = table.get(name)
    if (workspace === undefined) throw notFound(name)
    return workspace
  }
  return {
    workspace: {
      get: ({ workspace }) => find(workspace),
      list: () => ({ workspaces: table.all().map(summaryOf) }),
      save({ workspace: name, layout, base }, { actor }) {
        checkSize(layout)
        const before = table.get(name)
        checkBase(name, before?.revision ?? 0, base)
        if (before === undefined) checkCount(table.all().length)
        const workspace = saved(name, layout, before, actor, now())
        table.save(workspace)
        publish({ type: 'workspace_changed', workspace })
        return summaryOf(workspace)
      },
      delete({ workspace: name }) {
        if (!table.delete(name)) throw notFound(name)
        publish({ type: 'workspace_deleted', workspace: name })
        return {}
      },
    },
  }
}

const saved = (name: string, layout: unknown, before: Workspace | undefined, by: Actor, now: number): Workspace => ({
  workspace: name,
  layout,
  revision: (before?.revision ?? 0) + 1,
  updatedAt: now,
  by,
})

const summaryOf = ({ layout: _, ...summary }: Workspace): WorkspaceSummary => summary

const notFound = (name: string) =>
  new RpcError('not_found', `there is no workspace ${JSON.stringify(name)}`, { workspace: name })

function checkSize(layout: unknown) {
  const bytes = Buffer.byteLength(JSON.stringify(layout))
  if (bytes <= limits.maxLayoutBytes) return
  throw new RpcError('invalid_params', `layout has ${bytes} bytes, at most ${limits.maxLayoutBytes} may be`, {
    path: '/layout',
    expected: `at most ${limits.maxLayoutBytes} bytes`,
  })
}

function checkBase(name: string, revision: number, base: number | undefined) {
  if (base === undefined || base === revision) return
  const problem = `workspace ${JSON.stringify(name)} is at revision ${revision}, not at ${base}: somebody saved it meanwhile`
  throw new RpcError('conflict', problem, { workspace: name, revision })
}

function checkCount(count: number) {
  const value = limits.maxWorkspaces
  if (count < value) return
  throw new RpcError('limit', `there are ${count} workspaces, the most there may be: delete one`, {
    limit: 'maxWorkspaces',
    value,
  })
}
