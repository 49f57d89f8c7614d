import { homedir } from 'node:os'
import { matchesCommand } from './permissions/command-pattern.ts'
import { type LineContent, meetsLine, readLineContent, rulesForLine } from './permissions/command-rules.ts'
import { matchesDomain } from './permissions/domain-pattern.ts'
import { permitsPath, type Place, prohibitsPath } from './permissions/path-pattern.ts'
import {
  editingTools,
  parsePermissionRule,
  type PermissionDecision,
  type PermissionRule,
  readingTools,
} from './permissions/rule.ts'
import { matchesStars } from './permissions/wildcard.ts'
import { nameOf, type Shape, shapeOf, stringOf } from './shape.ts'

export type PermissionRules = readonly PermissionRule[]

/** A text that is no rule, or a rule that could never decide anything. */
export class BadPermissionRule extends Error {
  override readonly name = 'BadPermissionRule'
  /** Its place among the texts. */
  readonly index: number

  constructor(index: number, text: string, expected: string) {
    super(`${JSON.stringify(text)} is no permission rule: expected ${expected}`)
    this.index = index
  }
}

/** Reads `allow TOOL`, `deny TOOL(pattern)`, `ask …`, in the syntax of Claude Code. Throws `BadPermissionRule`. */
export function parsePermissionRules(texts: readonly string[]): PermissionRules {
  return texts.map((text, index) => {
    const rule = parsePermissionRule(text.trim())
    if ('expected' in rule) throw new BadPermissionRule(index, text, rule.expected)
    return rule
  })
}

export interface DecidedPermission {
  decision: PermissionDecision
  /** The rule that decided it; several with a comma between where they allow the parts of a command line together. */
  rule: string
}

/**
 * What the rules say to the use of a tool: deny before ask before allow, in whatever order they are given; `undefined`
 * where none says anything. A permission has to cover where a path is and where it leads, a prohibition either of them:
 * `realPath` follows links; without it none is known of.
 */
export function decidePermission(
  rules: PermissionRules,
  tool: string,
  input: unknown,
  cwd: string,
  { home = homedir(), realPath = path => path }: Partial<Pick<Place, 'home' | 'realPath'>> = {},
): DecidedPermission | undefined {
  const use = toolUse(tool, shapeOf(input) ?? {}, { cwd, home, realPath })
  for (const decision of ['deny', 'ask'] as const) {
    const rule = rules.find(each => each.decision === decision && prohibits(each, use))
    if (rule) return { decision, rule: rule.text }
  }
  const allowing = allowedBy(
    rules.filter(rule => rule.decision === 'allow'),
    use,
  )
  if (allowing.length === 0) return undefined
  return { decision: 'allow', rule: [...new Set(allowing.map(rule => rule.text))].join(', ') }
}

interface ToolUse {
  tool: string
  input: Shape
  place: Place
  /** Of the shell. */
  command: { line: string; content: LineContent } | undefined
}

function toolUse(tool: string, input: Shape, place: Place): ToolUse {
  const line = tool === 'Bash' ? stringOf(input['command']) : undefined
  return { tool, input, place, command: line === undefined ? undefined : { line, content: readLineContent(line) } }
}

function allowedBy(rules: PermissionRules, use: ToolUse): PermissionRule[] {
  if (use.command) return rulesForLine(rules, use.command.line, use.place)
  return rules.filter(rule => permits(rule, use)).slice(0, 1)
}

function permits({ tool, matcher }: PermissionRule, use: ToolUse): boolean {
  if (!isAbout(tool, use.tool)) return false
  if (matcher.kind !== 'path') return meets(matcher, use)
  const path = pathOf(use)
  // A pattern of names that leaves its directory is looked for elsewhere.
  if (path === undefined || (use.tool === 'Glob' && leavesDirectory(use.input['pattern']))) return false
  return permitsPath(matcher.pattern, path, looksBelow.has(use.tool), use.place)
}

function prohibits(rule: PermissionRule, use: ToolUse): boolean {
  const { tool, matcher } = rule
  if (use.command) return meetsLine(rule, use.command.content, use.place)
  // What may not be read is not edited either, for an edit shows it.
  const reads = tool === 'Read' && matcher.kind === 'path' && rule.decision === 'deny' && editsWhatItReads.has(use.tool)
  if (!reads && !isAbout(tool, use.tool)) return false
  if (matcher.kind !== 'path') return meets(matcher, use)
  const pattern = use.tool === 'Glob' ? stringOf(use.input['pattern']) : undefined
  return [pathOf(use), pattern].some(path => path !== undefined && prohibitsPath(matcher.pattern, path, use.place))
}

/** Whether a rule's tool is the one that is used: `Edit` is every tool that edits files, `Read` every one that reads them. */
function isAbout(rule: string, tool: string): boolean {
  if (rule === tool) return true
  if (rule === 'Edit') return editingTools.has(tool)
  if (rule === 'Read') return readingTools.has(tool)
  if (rule === 'Task' || rule === 'Agent') return tool === 'Task' || tool === 'Agent'
  if (!rule.startsWith('mcp__')) return false
  const isServer = rule.split('__').length === 2
  return matchesStars(isServer ? `${rule}__*` : rule, tool)
}

function meets(matcher: Exclude<PermissionRule['matcher'], { kind: 'path' }>, { input }: ToolUse): boolean {
  switch (matcher.kind) {
    case 'any':
      return true
    case 'domain':
      return matchesDomain(matcher.pattern, stringOf(input['url']) ?? '')
    case 'agent':
      return input['subagent_type'] === matcher.name
    case 'skill': {
      const name = nameOf(input['skill']) ?? nameOf(input['command'])
      return name !== undefined && matchesCommand(matcher.pattern, [name, nameOf(input['args']) ?? ''].join(' ').trim())
    }
    case 'command':
      return false
  }
}

/** The file that a tool opens, or the directory that it looks through. */
function pathOf({ tool, input }: ToolUse): string | undefined {
  if (looksBelow.has(tool)) return input['path'] === undefined ? '.' : stringOf(input['path'])
  return stringOf(input[tool.startsWith('Notebook') ? 'notebook_path' : 'file_path'])
}

const looksBelow: ReadonlySet<string> = new Set(['Grep', 'Glob', 'LS'])
const editsWhatItReads: ReadonlySet<string> = new Set(['Edit', 'MultiEdit', 'Write'])
const leavesDirectory = (pattern: unknown) => typeof pattern !== 'string' || /^[/~]|\.\./.test(pattern)
