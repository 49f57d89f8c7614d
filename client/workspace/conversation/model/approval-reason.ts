import type { ApprovalReason, EventOf } from '../../../sdk/browser.ts'

/** Extracts the reason and the hints of an approval from its event. */
export function reasonOf(event: EventOf<'approval_requested'>): ApprovalReason {
  return Object.fromEntries(names.flatMap(name => (event[name] === undefined ? [] : [[name, event[name]]])))
}

const names = [
  'title',
  'decisionReason',
  'decisionReasonType',
  'askRule',
  'blockedPath',
  'mcpServer',
  'defaultToNo',
  'requiresUserInteraction',
  'suppressAlwaysAllowRule',
] as const satisfies (keyof ApprovalReason)[]
