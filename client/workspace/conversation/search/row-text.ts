import type { Row } from '../list/rows.ts'
import { inputText, outputText } from '../model/tool-output.ts'
import { ended } from '../model/labels.ts'

/** The text that a row is found by. */
export function rowText({ item, block }: Row): string {
  switch (item.kind) {
    case 'text':
      return block!.source
    case 'prompt':
    case 'thinking':
    case 'line':
      return item.text
    case 'tool':
      return `${item.tool} ${inputText(item.input)} ${outputText(item.output)}`
    case 'end':
      return ended(item.event)
  }
}

/** The keys of the rows that hold these words, in order. */
export function findRows(rows: readonly Row[], words: string): string[] {
  const wanted = words.trim().toLowerCase()
  if (!wanted) return []
  return rows.filter(row => rowText(row).toLowerCase().includes(wanted)).map(({ key }) => key)
}
