import type { Row } from '../list/rows.ts'
import { inputText, outputText } from '../model/tool-output.ts'
import { ended } from '../model/labels.ts'

/** Returns the text of a row that the search looks at. */
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

/** Returns the keys of the rows that contain these words as one string, ignoring case, in order. */
export function findRows(rows: readonly Row[], words: string): string[] {
  const wanted = words.trim().toLowerCase()
  if (!wanted) return []
  return rows.filter(row => rowText(row).toLowerCase().includes(wanted)).map(({ key }) => key)
}
