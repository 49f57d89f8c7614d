import { harmless } from '../../text/harmless.ts'

export { harmless }

/** Makes a line harmless, but keeps our own colours. */
export const harmlessLine = (line: string): string =>
  line
    .split(colour)
    .map((part, index) => (index % 2 ? part : harmless(part)))
    .join('')

// oxlint-disable-next-line no-control-regex
const colour = /(\u001b\[[\d;]*m)/

/** Returns harmless text in one line. */
export const oneLine = (text: string): string => harmless(text.replace(/\s+/g, ' ')).trim()

/** Cuts text to `columns` of a terminal; cut text ends in an ellipsis. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += widthOf(character)
    if (width > columns - 1) break
    kept += character
  }
  return `${kept.trimEnd()}…`
}

/** Returns the number of columns that text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += none.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u
