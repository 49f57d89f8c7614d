import { type CommandPattern, parseCommandPattern } from './command-pattern.ts'
import { type DomainPattern, parseDomainPattern } from './domain-pattern.ts'
import type { Expectation } from './expectation.ts'
import { type PathPattern, parsePathPattern } from './path-pattern.ts'
import { readCommandLine } from './shell.ts'

export type PermissionDecision = 'allow' | 'deny' | 'ask'

export interface PermissionRule {
  decision: PermissionDecision
  /** As it was written. */
  text: string
  tool: string
  matcher: Matcher
}

/** What a rule's parentheses say, by what its tool is about; `any` where there are none. */
export type Matcher =
  | { kind: 'any' }
  | { kind: 'command'; pattern: CommandPattern }
  | { kind: 'path'; pattern: PathPattern }
  | { kind: 'domain'; pattern: DomainPattern }
  | { kind: 'agent'; name: string }
  | { kind: 'skill'; pattern: CommandPattern }

export const editingTools: ReadonlySet<string> = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit'])
export const readingTools: ReadonlySet<string> = new Set(['Read', 'NotebookRead', 'Grep', 'Glob', 'LS'])

export function parsePermissionRule(text: string): PermissionRule | Expectation {
  const found = /^(allow|deny|ask)\s+([^\s(]+)\s*(?:\((.*)\))?$/s.exec(text)
  if (!found) return { expected: 'allow, deny or ask, then TOOL or TOOL(pattern)' }
  const [, decision, tool, pattern] = found as unknown as [string, PermissionDecision, string, string?]
  const permits = decision === 'allow'
  const expected = nameExpected(tool, permits)
  if (expected !== undefined) return { expected }
  const matcher = pattern === undefined ? ({ kind: 'any' } as const) : parseMatcher(tool, pattern, permits)
  return 'expected' in matcher ? matcher : { decision, text, tool, matcher }
}

/** Names of tools are told by upper and lower case; what is written otherwise would never be met. */
const toolNames = new Map(
  [...editingTools, ...readingTools, 'Bash', 'WebFetch', 'WebSearch', 'Task', 'Agent', 'Skill'].map(name => [
    name.toLowerCase(),
    name,
  ]),
)

function nameExpected(tool: string, permits: boolean): string | undefined {
  if (tool.startsWith('mcp__')) {
    const server = /^mcp__(?!_)([\w.*-]+?)(?:__[\w.*-]+)?$/.exec(tool)?.[1]
    if (server === undefined) return 'mcp__server or mcp__server__tool'
    return permits && server.includes('*') ? 'the name of a server behind mcp__, without `*`' : undefined
  }
  if (!/^[A-Za-z]\w*$/.test(tool)) return 'the name of a tool; only those of MCP servers may have a `*`'
  const known = toolNames.get(tool.toLowerCase())
  return known === undefined || known === tool ? undefined : `${known} instead of ${tool}`
}

function parseMatcher(tool: string, text: string, permits: boolean): Matcher | Expectation {
  if (text.trim() === '') return { expected: 'a pattern in the parentheses, or none of them' }
  if (tool.startsWith('mcp__')) return { expected: 'a tool of an MCP server without parentheses' }
  if (text === '*') return { kind: 'any' }
  if (tool === 'Bash') return commandMatcher(text, permits)
  if (editingTools.has(tool) || readingTools.has(tool)) {
    const pattern = parsePathPattern(text)
    return 'expected' in pattern ? pattern : { kind: 'path', pattern }
  }
  if (tool === 'WebFetch') {
    const pattern = parseDomainPattern(text)
    return 'expected' in pattern ? pattern : { kind: 'domain', pattern }
  }
  if (tool === 'Agent' || tool === 'Task') return agentMatcher(text)
  if (tool === 'Skill') return { kind: 'skill', pattern: parseCommandPattern(text) }
  return { expected: `${tool} without parentheses, for there is no pattern for it` }
}

function commandMatcher(text: string, permits: boolean): Matcher | Expectation {
  const parameter = /^(command|description|timeout|run_in_background|dangerouslyDisableSandbox):(?!\*$)/.exec(text)?.[1]
  if (parameter !== undefined) return { expected: `a command, for there is no pattern for the parameter ${parameter}` }
  if (text.slice(0, -2).includes(':*')) return { expected: '`:*` at the end only' }
  const pattern = parseCommandPattern(text)
  if (!permits || !pattern.hasStar) return { kind: 'command', pattern }
  const { commands, understood } = readCommandLine(pattern.source)
  const [command] = commands
  if (!understood || commands.length !== 1 || !command || command.redirects.length > 0)
    return { expected: 'one plain command, and a rule for each part of a line' }
  const name = command.words[0]?.text ?? ''
  if (neverByPattern.has(name))
    return { expected: `a command without \`*\`, for ${name} runs whatever stands behind it` }
  return { kind: 'command', pattern }
}

/** Commands that a pattern does not allow: whatever they run would be allowed with them. */
export const neverByPattern = new Set(['watch', 'setsid', 'ionice', 'flock'])

function agentMatcher(name: string): Matcher | Expectation {
  const parameter = /^(model|prompt|description|run_in_background|isolation|resume):/.exec(name)?.[1]
  if (parameter !== undefined)
    return { expected: `the name of an agent, for there is no pattern for the parameter ${parameter}` }
  return name.includes('*') ? { expected: 'the name of one agent, without `*`' } : { kind: 'agent', name }
}
