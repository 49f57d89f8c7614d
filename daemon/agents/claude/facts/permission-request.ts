import type { ApprovalKind, ApprovalReason } from '../../../../protocol/index.ts'
import { nameOf, type Shape, shapeOf, stringOf } from '../frame/shape.ts'
import type { Control } from './turn.ts'

/** `can_use_tool`: Claude Code asks whether, and with which input, it may use a tool. It waits without a time limit. */
export interface PermissionRequest extends ApprovalReason {
  requestId: string
  kind: ApprovalKind
  tool: string
  input: unknown
  toolUseId: string
  /** The task that asks; absent for the main conversation. */
  task?: string
  description?: string
  /** The permission updates that Claude Code offers to remember. */
  suggestions?: unknown[]
}

/** Returns null for every other frame of the control protocol. */
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
    ...reasonOf(request),
    ...(Array.isArray(suggestions) && suggestions.length > 0 && { suggestions: suggestions as unknown[] }),
  }
}

/** Returns why Claude Code asks, and its hints for the answer. */
function reasonOf(request: Shape): ApprovalReason {
  const texts = {
    title: nameOf(request['title']),
    decisionReason: nameOf(request['decision_reason']),
    decisionReasonType: nameOf(request['decision_reason_type']),
    askRule: ruleText(shapeOf(request['matched_ask_rule'])),
    blockedPath: nameOf(request['blocked_path']),
    mcpServer: nameOf(request['mcp_server']) ?? nameOf(shapeOf(request['mcp_server'])?.['name']),
  }
  const hints = {
    defaultToNo: request['default_to_no'] === true,
    requiresUserInteraction: request['requires_user_interaction'] === true,
    suppressAlwaysAllowRule: request['suppress_always_allow_rule'] === true,
  }
  const given = [...Object.entries(texts), ...Object.entries(hints)].filter(([, value]) => value)
  return Object.fromEntries(given) as ApprovalReason
}

function ruleText(rule: Shape | undefined): string | undefined {
  const tool = nameOf(rule?.['tool_name'])
  const content = nameOf(rule?.['rule_content'])
  return tool === undefined || content === undefined ? tool : `${tool}(${content})`
}

const kinds = new Map<string, ApprovalKind>([
  ['AskUserQuestion', 'question'],
  ['ExitPlanMode', 'plan'],
])

/**
 * Returns suggestions that only the process remembers. Unchanged, some would be written to the settings of the project
 * and apply to every later session.
 */
export const forThisSession = (suggestions: readonly unknown[]): unknown[] =>
  suggestions.map(suggestion => ({ ...shapeOf(suggestion), destination: 'session' }))
