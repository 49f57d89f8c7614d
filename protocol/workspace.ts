import { Type, type Static } from 'typebox'
import { Actor } from './ids.ts'
import { limits } from './limits.ts'

/** The name of a workspace, for people: `main`, `review`. */
export const WorkspaceName = Type.String({
  pattern: `^[A-Za-z0-9][A-Za-z0-9 ._-]{0,${limits.maxWorkspaceNameLength - 1}}$`,
  description: 'name of a workspace: letters, digits, space, `.`, `_` and `-`',
})

/**
 * The layout of a page's panes, which the daemon keeps so that other windows show the same. The daemon does not
 * interpret `layout`. `revision` starts at 1 and grows by one with each save. `by` saved it last.
 */
export const Workspace = Type.Object({
  workspace: WorkspaceName,
  layout: Type.Unknown(),
  revision: Type.Integer({ minimum: 1 }),
  updatedAt: Type.Integer(),
  by: Actor,
})
export type Workspace = Static<typeof Workspace>

/** A workspace without its layout. */
export const WorkspaceSummary = Type.Omit(Workspace, ['layout'])
export type WorkspaceSummary = Static<typeof WorkspaceSummary>

const envelope = { seq: Type.Integer({ minimum: 1 }), time: Type.Integer() }

/** The records on `workspaces`: a saved workspace, whole, or the name of a deleted one. */
export const workspacesEvents = {
  workspace_changed: Type.Object({ ...envelope, type: Type.Literal('workspace_changed'), workspace: Workspace }),
  workspace_deleted: Type.Object({ ...envelope, type: Type.Literal('workspace_deleted'), workspace: WorkspaceName }),
}
export type WorkspacesEvent = {
  [Name in keyof typeof workspacesEvents]: Static<(typeof workspacesEvents)[Name]>
}[keyof typeof workspacesEvents]
