import { harmless } from '../../../text/harmless.ts'
import { structuredPatch } from 'diff'
import type { ToolItem } from './items.ts'

/** Part of a file before and after: lines begin with ` `, `-` or `+`. */
export interface Hunk {
  oldStart: number
  newStart: number
  lines: readonly string[]
}

export interface FileChange {
  file: string
  hunks: readonly Hunk[]
}

/** Texts with more lines than this in total are not compared: all old lines come first, then all new ones. */
const longestCompared = 2_000

/**
 * Returns the change that a tool makes to a file: from the details of its result if they have a patch, else computed
 * from its input. Undefined for a tool that changes no file.
 */
export function fileChange({
  tool,
  input,
  details,
}: Pick<ToolItem, 'tool' | 'input' | 'details'>): FileChange | undefined {
  const asked = fields(input)
  const path = text(asked['file_path'])
  if (path === undefined || !['Edit', 'MultiEdit', 'Write'].includes(tool)) return undefined
  const file = harmless(path)
  const told = fields(details)['structuredPatch']
  if (Array.isArray(told) && told.length > 0) return { file, hunks: told.flatMap(hunkOf) }
  if (tool === 'Write') return { file, hunks: compare('', text(asked['content']) ?? '') }
  const edits = tool === 'Edit' ? [asked] : Array.isArray(asked['edits']) ? asked['edits'].map(fields) : []
  return { file, hunks: edits.flatMap(edit => compare(text(edit['old_string']) ?? '', text(edit['new_string']) ?? '')) }
}

function compare(before: string, after: string): Hunk[] {
  if (linesOf(before).length + linesOf(after).length > longestCompared || !before || !after) {
    const lines = [...linesOf(before).map(line => `-${line}`), ...linesOf(after).map(line => `+${line}`)]
    return lines.length ? [{ oldStart: 1, newStart: 1, lines }] : []
  }
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: 3 })
  // Drop the remark "No newline at end of file", because the texts are mostly excerpts.
  return hunks.map(hunk => ({ ...hunk, lines: hunk.lines.filter(line => !line.startsWith('\\')) }))
}

function hunkOf(value: unknown): Hunk[] {
  const { oldStart, newStart, lines } = fields(value)
  if (!Array.isArray(lines)) return []
  return [
    {
      oldStart: Number(oldStart) || 1,
      newStart: Number(newStart) || 1,
      lines: lines.filter(each => typeof each === 'string'),
    },
  ]
}

const linesOf = (value: string) => (value ? value.replace(/\n$/, '').split('\n') : [])
const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
const fields = (value: unknown) => (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
