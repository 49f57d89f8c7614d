import type { Approval, ApprovalReason } from '../../sdk/browser.ts'

/** Claude Code's reason for an approval, if it gives one. */
export function ReasonView({ reason, kind }: { reason: ApprovalReason; kind: Approval['kind'] }) {
  const facts = factsOf(reason, kind)
  if (facts.length === 0) return null
  return (
    <dl class="facts small">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function factsOf(
  { title, decisionReason, decisionReasonType, askRule, blockedPath, mcpServer, ...hints }: ApprovalReason,
  kind: Approval['kind'],
) {
  const why = decisionReason ?? (askRule ? `the permission rule ask ${askRule}` : reasonTypes[decisionReasonType ?? ''])
  const facts: [name: string, value: string | undefined][] = [
    ['Claude Code', title],
    ['Why', why],
    ['Blocked path', why?.includes(blockedPath ?? '') ? undefined : blockedPath],
    ['MCP server', mcpServer],
    ['Who', kind === 'tool' && hints.requiresUserInteraction ? 'only a person may answer this' : undefined],
  ]
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined)
}

/** Texts for a reason of which Claude Code only gives the type. */
const reasonTypes: Record<string, string> = {
  rule: 'a permission rule says to ask',
  hook: 'a hook says to ask',
  workingDir: 'outside the working directories',
  safetyCheck: 'a safety check',
  mode: 'the permission mode',
}
