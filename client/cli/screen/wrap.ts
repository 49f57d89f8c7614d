import { widthOf } from './text.ts'

/**
 * Wraps a line between words to `columns`. Continuation lines are indented like the line's text. Colours have no width
 * and continue over a break. A word longer than a line is broken.
 */
export function wrapStyled(text: string, columns: number): string {
  const most = Math.max(columns, 10)
  const indent = ' '.repeat(Math.min(/^ */.exec(text)![0].length || 2, most - 8))
  let wrapped = ''
  let width = 0
  let space = ''
  const breakLine = () => {
    wrapped += `\n${indent}`
    width = indent.length
    space = ''
  }
  const put = (piece: string) => {
    wrapped += piece
    width += widthOf(piece)
  }
  for (const [piece, colour, spaces] of text.matchAll(pieces)) {
    if (spaces) space += spaces
    else if (colour) wrapped += colour
    else {
      if (width > indent.length && width + space.length + widthOf(piece) > most) breakLine()
      put(space)
      space = ''
      for (const character of piece) {
        if (width + widthOf(character) > most) breakLine()
        put(character)
      }
    }
  }
  return wrapped
}

// oxlint-disable-next-line no-control-regex
const pieces = /(\u001b\[[\d;]*m)|( +)|[^ \u001b]+|\u001b/g
