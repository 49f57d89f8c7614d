import { type Expectation, type PermissionDecision, patternOf } from './permission-patterns.ts'
import { agentTools, editingTools, personsTools, readingTools, toolNames } from './tool-names.ts'

export interface PermissionRule {
  decision: PermissionDecision
  /** The rule as the client wrote it. */
  text: string
  /** The rules that Claude Code gets for this rule. */
  forClaude: readonly string[]
  /** The tools that a rule without a pattern names. The name of an MCP server stands for all its tools. */
  names: readonly string[]
}

/** The `permissions` of Claude Code's settings. */
export type PermissionSettings = Record<PermissionDecision, string[]>

/** A text that is not a rule, or a rule that Claude Code would ignore. */
export class BadPermissionRule extends Error {
  override readonly name = 'BadPermissionRule'
  /** The index of the text. */
  readonly index: number

  constructor(index: number, text: string, expected: string) {
    super(`${JSON.stringify(text)} is no permission rule: expected ${expected}`)
    this.index = index
  }
}

/**
 * Parses `allow TOOL`, `deny TOOL(pattern)` and `ask …` of a session that runs in `cwd`. Claude Code enforces the rules
 * and silently drops those that it does not understand, so this accepts only rules that it enforces. Throws
 * `BadPermissionRule`.
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

/** Returns the rule with this decision that names the tool without a pattern. */
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

/** Names the whole group of tools, because Claude Code applies a bare `Edit` only to the tool of that name. */
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
 * Returns the text between the first and the last parenthesis, as Claude Code reads it, or undefined without
 * parentheses. `\(` and `\)` stand for unbalanced parentheses of the pattern.
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
