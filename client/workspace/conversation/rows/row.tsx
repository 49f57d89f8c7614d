import type { VNode } from 'preact'
import type { Row } from '../list/rows.ts'
import { AgentAnswer } from './agent-answer.tsx'
import { End } from './end.tsx'
import { Line } from './line.tsx'
import { Prompt } from './prompt.tsx'
import { Text } from './text.tsx'
import { Thinking } from './thinking.tsx'
import { Tool } from './tool.tsx'

/** Renders a row of the conversation. */
export function drawRow(row: Row): VNode {
  const { item } = row
  switch (item.kind) {
    case 'prompt':
      return <Prompt item={item} version={row.version} />
    case 'text':
      return <Text row={row} isWritten={item.finished || row.version < 0} />
    case 'thinking':
      return <Thinking item={item} version={row.version} />
    case 'tool':
      return row.isAnswer ? (
        <AgentAnswer item={item} version={row.version} />
      ) : (
        <Tool item={item} version={row.version} />
      )
    case 'line':
      return <Line item={item} version={row.version} />
    case 'end':
      return <End item={item} version={row.version} />
  }
}

/** Estimates the height of a row in pixels before it is drawn. */
export function guessHeight({ item, block }: Row): number {
  switch (item.kind) {
    case 'text': {
      const { length } = block!.source
      return 12 + 20 * Math.max(1, Math.ceil(length / 90))
    }
    case 'prompt':
      return 76
    case 'tool':
      return ['Bash', 'Edit', 'Write', 'MultiEdit'].includes(item.tool) ? 120 : 38
    case 'end':
      return 52
    default:
      return 30
  }
}
