import type { ApprovalReason } from '../../browser.ts'

/** Why Claude Code asks, where it says so. */
export function ReasonView({ reason }: { reason: ApprovalReason }) {
  const facts = factsOf(reason)
  if (facts.length === 0) return null
  return (
    <dl class="facts small">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function factsOf({ title, decisionReason, decisionReasonType, askRule, blockedPath, mcpServer }: ApprovalReason) {
  const why = decisionReason ?? (askRule ? `the rule ask ${askRule}` : reasonTypes[decisionReasonType ?? ''])
  const facts: [name: string, value: string | undefined][] = [
    ['Claude Code', title],
    ['Why', why],
    ['Outside', why?.includes(blockedPath ?? '') ? undefined : blockedPath],
    ['MCP server', mcpServer],
  ]
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined)
}

/** Where Claude Code gives the kind of its reason alone. */
const reasonTypes: Record<string, string> = {
  rule: 'a permission rule says to ask',
  hook: 'a hook says to ask',
  workingDir: 'outside of its directories',
  safetyCheck: 'a safety check',
  mode: 'the permission mode',
}
