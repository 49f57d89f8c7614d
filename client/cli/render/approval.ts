import type { Colors } from 'picocolors/types.js'
import type { Approval, ApprovalReason } from '../../sdk/index.ts'
import { type DiffLine, diffOf } from './diff.ts'
import { harmless, oneLine, widthOf } from '../screen/text.ts'
import { summary } from './tool.ts'

/** The fields of a question that are needed to show and answer it. The event and the record both have them. */
export type Asked = Pick<Approval, 'kind' | 'tool' | 'input' | 'suggestions'> & ApprovalReason

export interface ApprovalStyle {
  colors: Colors
  /** Longer lines are wrapped, so that nothing is allowed unseen. */
  columns: number
}

/** Renders a question for a person with everything that the answer affects. */
export function approvalLines(asked: Asked, { colors, columns }: ApprovalStyle): string[] {
  const title = {
    tool: `${colors.bold(oneLine(asked.tool))} needs permission`,
    question: colors.bold('Claude asks'),
    plan: colors.bold('Claude has a plan'),
  }[asked.kind]
  const body = bodyOf(asked).flatMap(({ style = 'plain', text }) =>
    wrap(clean(text), columns - 5).map(line => `  ${paint(colors, style)(line)}`),
  )
  const reason = reasonOf(asked).flatMap(text => wrap(clean(text), columns - 5).map(line => `  ${colors.dim(line)}`))
  return [`${colors.yellow('?')} ${title}`, ...body, ...reason]
}

/** Says why Claude Code asks, the most important reason first. */
function reasonOf(asked: Asked): string[] {
  const { title, decisionReason, decisionReasonType, askRule, blockedPath, mcpServer, requiresUserInteraction } = asked
  const why = decisionReason ?? (askRule ? `the rule ask ${askRule}` : reasonTypes[decisionReasonType ?? ''])
  return [
    ...(title ? [title] : []),
    ...(why ? [`why: ${why}`] : []),
    ...(blockedPath && !why?.includes(blockedPath) ? [`outside of its directories: ${blockedPath}`] : []),
    ...(mcpServer ? [`MCP server: ${mcpServer}`] : []),
    ...(requiresUserInteraction && asked.kind === 'tool' ? ['only a person may answer this'] : []),
  ]
}

/** Texts for a reason of which Claude Code reports only the type. */
const reasonTypes: Record<string, string> = {
  rule: 'a permission rule says to ask',
  hook: 'a hook says to ask',
  workingDir: 'outside of its directories',
  safetyCheck: 'a safety check',
  mode: 'the permission mode',
}

/** Renders a question in one line. */
export function approvalSummary({ kind, tool, input }: Asked): string {
  const about =
    kind === 'question'
      ? questionsOf(input)
          .map(({ question }) => question)
          .join(' / ')
      : summary(input)
  return `${oneLine(tool)} ${oneLine(about)}`.trim()
}

export interface Question {
  question: string
  options: { label: string; description: string }[]
  multiSelect: boolean
}

/** Returns the questions in an input of `AskUserQuestion`. Replaces missing or malformed fields by empty ones. */
export function questionsOf(input: unknown): Question[] {
  return listOf(fieldsOf(input)['questions']).map(each => {
    const { question, options, multiSelect } = fieldsOf(each)
    return {
      question: textOf(question),
      options: listOf(options).map(option => {
        const { label, description } = fieldsOf(option)
        return { label: textOf(label), description: textOf(description) }
      }),
      multiSelect: multiSelect === true,
    }
  })
}

interface Line {
  text: string
  style?: 'plain' | 'in' | 'out' | 'quiet'
}

function bodyOf({ kind, tool, input, suggestions, suppressAlwaysAllowRule }: Asked): Line[] {
  if (kind === 'question') return questionsOf(input).flatMap(questionLines)
  const fields = fieldsOf(input)
  if (kind === 'plan') return textLines(textOf(fields['plan']))
  const kept = typeof suggestions === 'object' ? suggestions.map(suggestionText).filter(Boolean) : []
  return [
    ...toolLines(tool, fields),
    ...(kept.length > 0 && !suppressAlwaysAllowRule
      ? [{ text: `always: ${kept.join(', ')}`, style: 'quiet' as const }]
      : []),
  ]
}

function questionLines({ question, options, multiSelect }: Question): Line[] {
  return [
    ...textLines(question),
    ...options.map(({ label, description }, index) => ({
      text: `${index + 1} ${oneLine(label)}${description ? `: ${oneLine(description)}` : ''}`,
    })),
    ...(multiSelect ? [{ text: 'several may be chosen', style: 'quiet' as const }] : []),
  ]
}

function toolLines(tool: string, fields: Record<string, unknown>): Line[] {
  const path = textOf(fields['file_path'] ?? fields['notebook_path'])
  const edits = tool === 'MultiEdit' ? listOf(fields['edits']).map(fieldsOf) : tool === 'Edit' ? [fields] : []
  if (typeof fields['command'] === 'string')
    return [...textLines(fields['command'], mostOfCommand), ...restOf(fields, 'command')]
  if (path && edits.length > 0)
    return [
      { text: path },
      ...limited(
        edits.flatMap(edit => diffLines(textOf(edit['old_string']), textOf(edit['new_string']))),
        most,
      ),
    ]
  const content = tool === 'Write' ? fields['content'] : tool === 'NotebookEdit' ? fields['new_source'] : undefined
  if (path && typeof content === 'string') return [{ text: path }, ...limited(diffLines('', content), most)]
  return restOf(fields)
}

const diffLines = (before: string, after: string): Line[] =>
  diffOf(before, after).map(({ sign, text }) => ({ text: `${sign} ${text}`, style: signStyles[sign] }))

const signStyles: Record<DiffLine['sign'], NonNullable<Line['style']>> = { '-': 'out', '+': 'in', ' ': 'plain' }

/** Renders all other fields by name; a value that is not text as JSON. */
function restOf(fields: Record<string, unknown>, ...shown: string[]): Line[] {
  const rest = Object.entries(fields).filter(([name]) => !shown.includes(name))
  return rest.flatMap(([name, value]) =>
    textLines(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
  )
}

/**
 * The most lines shown of a content and of a command. A command gets more, because its last line counts as much as the
 * others.
 */
const most = 60
const mostOfCommand = 500

const textLines = (text: string, upTo = most): Line[] =>
  limited(
    text.split('\n').map(line => ({ text: line })),
    upTo,
  )

function limited(lines: Line[], upTo: number): Line[] {
  const more = lines.length - upTo
  if (more <= 0) return lines
  return [
    ...lines.slice(0, upTo),
    { text: `… and ${more} more lines: muxd approvals --json has all of them`, style: 'quiet' },
  ]
}

/** Says what a remembered answer grants. */
function suggestionText(suggestion: unknown): string {
  const { type, rules, mode, directories, behavior } = fieldsOf(suggestion)
  if (type === 'setMode') return `mode ${textOf(mode)}`
  if (type === 'addDirectories') return `directories ${listOf(directories).map(textOf).join(', ')}`
  const named = listOf(rules).map(rule => {
    const { toolName, ruleContent } = fieldsOf(rule)
    return ruleContent === undefined ? textOf(toolName) : `${textOf(toolName)}(${textOf(ruleContent)})`
  })
  return named.length > 0
    ? `${textOf(behavior) || 'allow'} ${named.join(', ')}`
    : oneLine(JSON.stringify(suggestion) ?? '')
}

/** Makes text harmless, with spaces for tabs, because a tab has no fixed width. */
const clean = (text: string) => harmless(text.replaceAll('\t', '    '))

/** Wraps between words, unless that leaves a short line. Keeps every character, even the space before a break. */
function wrap(text: string, columns: number): string[] {
  const room = Math.max(columns, 10)
  const lines: string[] = []
  let line = ''
  let width = 0
  for (const character of text) {
    width += widthOf(character)
    if (width > room) {
      const at = line.lastIndexOf(' ') + 1
      const kept = widthOf(line.slice(0, at)) > room / 2 ? at : line.length
      lines.push(line.slice(0, kept))
      line = line.slice(kept)
      width = widthOf(line + character)
    }
    line += character
  }
  return [...lines, line]
}

const paint = (colors: Colors, style: NonNullable<Line['style']>) =>
  ({ plain: (text: string) => text, in: colors.green, out: colors.red, quiet: colors.dim })[style]

const fieldsOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
