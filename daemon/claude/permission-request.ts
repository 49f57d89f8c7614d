import type { ApprovalKind } from '../../protocol/index.ts'
import { nameOf, shapeOf, stringOf } from './shape.ts'
import type { Control } from './turn.ts'

/** `can_use_tool`: Claude Code asks whether, and with what input, a tool may be used. It waits as long as it takes. */
export interface PermissionRequest {
  requestId: string
  kind: ApprovalKind
  tool: string
  input: unknown
  toolUseId: string
  /** The task that asks, where it is not the main conversation. */
  task?: string
  description?: string
  /** Permission updates that Claude Code offers to remember. */
  suggestions?: unknown[]
}

/** What is answered. `input` only where it is another one than asked for; `permissions` are what is remembered. */
export type PermissionAnswer =
  | { behavior: 'allow'; input?: unknown; permissions?: unknown[] }
  | { behavior: 'deny'; message: string; interrupt?: true }

/** Null for every other frame of the control protocol. */
export function readPermissionRequest(control: Control): PermissionRequest | null {
  if (control.kind !== 'request' || control.subtype !== 'can_use_tool') return null
  const { requestId, request } = control
  const tool = stringOf(request['tool_name']) ?? ''
  const task = nameOf(request['agent_id'])
  const description = nameOf(request['description'])
  const suggestions = request['permission_suggestions']
  return {
    requestId,
    kind: kinds.get(tool) ?? 'tool',
    tool,
    input: request['input'] ?? {},
    toolUseId: stringOf(request['tool_use_id']) ?? '',
    ...(task !== undefined && { task }),
    ...(description !== undefined && { description }),
    ...(Array.isArray(suggestions) && suggestions.length > 0 && { suggestions: suggestions as unknown[] }),
  }
}

const kinds = new Map<string, ApprovalKind>([
  ['AskUserQuestion', 'question'],
  ['ExitPlanMode', 'plan'],
])

/**
 * Suggestions as they are sent back to be remembered: by the process alone. As they come some would be written to the
 * project's settings, where they hold for every later session.
 */
export const forThisSession = (suggestions: readonly unknown[]): unknown[] =>
  suggestions.map(suggestion => ({ ...shapeOf(suggestion), destination: 'session' }))
