import { type Expectation, type PermissionDecision, patternOf } from './permission-patterns.ts'
import { agentTools, editingTools, personsTools, readingTools, toolNames } from './tool-names.ts'

export interface PermissionRule {
  decision: PermissionDecision
  /** As the client wrote it. */
  text: string
  /** The rules that Claude Code gets for it. */
  forClaude: readonly string[]
  /** A rule without a pattern: the tools that it names. The name of an MCP server stands for its tools. */
  names: readonly string[]
}

/** The `permissions` of Claude Code's settings. */
export type PermissionSettings = Record<PermissionDecision, string[]>

/** A text that is no rule, or a rule that Claude Code would ignore. */
export class BadPermissionRule extends Error {
  override readonly name = 'BadPermissionRule'
  /** Its place among the texts. */
  readonly index: number

  constructor(index: number, text: string, expected: string) {
    super(`${JSON.stringify(text)} is no permission rule: expected ${expected}`)
    this.index = index
  }
}

/**
 * Reads `allow TOOL`, `deny TOOL(pattern)`, `ask …` of a session that runs in `cwd`. Claude Code enforces the rules, and
 * drops without a word what it does not understand: this accepts only rules that it enforces. Throws `BadPermissionRule`.
 */
export function parsePermissionRules(texts: readonly string[], cwd: string): PermissionRule[] {
  return texts.map((text, index) => {
    const rule = parseRule(text.trim(), cwd)
    if ('expected' in rule) throw new BadPermissionRule(index, text, rule.expected)
    return rule
  })
}

export function permissionSettings(rules: readonly PermissionRule[]): PermissionSettings {
  const of = (decision: PermissionDecision) => [
    ...new Set(rules.filter(rule => rule.decision === decision).flatMap(rule => rule.forClaude)),
  ]
  return { allow: of('allow'), ask: of('ask'), deny: of('deny') }
}

/** The rule with this decision that names the tool itself, without a pattern. */
export function ruleNaming(
  rules: readonly PermissionRule[],
  decision: PermissionDecision,
  tool: string,
): PermissionRule | undefined {
  return rules.find(rule => rule.decision === decision && rule.names.some(name => isNamed(tool, name)))
}

const isNamed = (tool: string, name: string) =>
  tool === name || (name.startsWith('mcp__') && name.split('__').length === 2 && tool.startsWith(`${name}__`))

function parseRule(text: string, cwd: string): PermissionRule | Expectation {
  const [, decision, tool, rest = ''] = /^(allow|deny|ask)\s+([^\s()]+)\s*(.*)$/s.exec(text) ?? []
  if (decision === undefined || tool === undefined)
    return { expected: 'allow, deny or ask, then TOOL or TOOL(pattern)' }
  const rule = { decision: decision as PermissionDecision, text }
  const expected = nameExpected(tool, rule.decision)
  if (expected !== undefined) return { expected }
  const content = contentOf(rest)
  if (typeof content === 'object') return content
  if (content === undefined || content === '*') return named(rule, tool)
  const pattern = patternOf(tool, content, rule.decision, cwd)
  if (typeof pattern === 'object') return pattern
  if (pattern === '*') return named(rule, tool)
  return { ...rule, names: [], forClaude: [`${patternTool(tool)}(${escaped(pattern)})`] }
}

/** Claude Code takes a bare `Edit` for the tool of that name alone. */
function named(rule: Pick<PermissionRule, 'decision' | 'text'>, tool: string): PermissionRule {
  const group = { Edit: editingTools, Read: readingTools, Agent: agentTools, Task: agentTools }[tool]
  const names = group ?? [tool.replace(/^(mcp__.+?)__\*$/, '$1')]
  return { ...rule, names, forClaude: names }
}

const patternTool = (tool: string) =>
  editingTools.includes(tool) ? 'Edit' : readingTools.includes(tool) ? 'Read' : tool

function nameExpected(tool: string, decision: PermissionDecision): string | undefined {
  if (tool.startsWith('mcp__')) {
    const isName = /^mcp__(?!_)[\w.-]+?(?:__(?:\*|[\w.-]+))?$/.test(tool)
    return isName ? undefined : 'mcp__server, mcp__server__tool or mcp__server__*'
  }
  if (toolNames.has(tool))
    return decision === 'allow' && personsTools.has(tool)
      ? `deny or ask, for nothing but a person answers ${tool}`
      : undefined
  const known = [...toolNames].find(name => name.toLowerCase() === tool.toLowerCase())
  return known
    ? `${known} instead of ${tool}`
    : `the name of a tool of Claude Code's instead of ${tool}, or mcp__server`
}

/**
 * What stands in the parentheses, where there are some: from the first one to the last, as Claude Code reads it, with
 * `\(` and `\)` for those of the pattern that have no partner.
 */
function contentOf(rest: string): string | undefined | Expectation {
  if (rest === '') return undefined
  let depth = 0
  let content = ''
  for (let at = 0; at < rest.length; at++) {
    const character = rest[at]!
    const next = rest[at + 1]
    if (character === '\\' && (next === '(' || next === ')' || next === '\\')) {
      content += next
      at++
      continue
    }
    if (character === '(' && depth++ === 0) continue
    if (character === ')' && --depth === 0) {
      if (at < rest.length - 1) return { expected: 'nothing behind the closing parenthesis' }
      if (content.trim() === '') return { expected: 'a pattern in the parentheses, or none of them' }
      if (content !== content.trim()) return { expected: 'a pattern without blanks at its ends' }
      return content
    }
    if (depth === 0) return { expected: 'parentheses around the pattern' }
    content += character
  }
  return { expected: 'a closing parenthesis' }
}

const escaped = (pattern: string) => pattern.replace(/[\\()]/g, '\\$&')
