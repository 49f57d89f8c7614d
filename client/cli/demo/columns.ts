import { fitStyled, type Sink } from '../screen/sink.ts'
import { harmless, widthOf } from '../screen/text.ts'

/** A column of text: the output of a client, wrapped to the column's width. */
export interface Column extends Sink {
  /** Returns the last `rows` lines. */
  tail(rows: number): string[]
}

export function createColumn(width: number): Column {
  const lines: { key?: string; text: string }[] = []
  let open = false
  const put = (text: string, key?: string) => {
    open = false
    lines.push({ text, ...(key !== undefined && { key }) })
  }
  return {
    answer(text) {
      for (const [index, part] of harmless(text).split('\n').entries()) {
        if (index || !open) lines.push({ text: '' })
        open = true
        for (const word of part.split(/(?<= )/)) {
          const last = lines.at(-1)!
          if (last.text && widthOf((last.text + word).trimEnd()) > width) lines.push({ text: word })
          else last.text += word
        }
      }
    },
    paragraph() {
      open = false
    },
    pieceEnd() {},
    thought() {},
    quiet() {},
    line: text => put(text),
    live(key, text, phase) {
      const line = lines.find(each => each.key === key)
      if (line) line.text = text
      else if (phase !== 'progress') put(text, key)
    },
    remark: text => put(text),
    end() {
      open = false
    },
    tail: rows => lines.slice(-rows).map(({ text }) => fitStyled(text.trimEnd(), width)),
  }
}

/** Renders columns beside each other, each under its title. */
export function sideBySide(titles: string[], columns: Column[], width: number, rows: number): string[] {
  const cells = columns.map(column => column.tail(rows))
  return [
    titles,
    titles.map(() => '─'.repeat(width)),
    ...range(rows).map(row => cells.map(cell => cell[row] ?? '')),
  ].map(row =>
    row
      .map(cell => cell + ' '.repeat(Math.max(0, width - visible(cell))))
      .join(' │ ')
      .trimEnd(),
  )
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

// oxlint-disable-next-line no-control-regex
const visible = (cell: string) => widthOf(cell.replace(/\u001b\[[\d;]*m/g, ''))
