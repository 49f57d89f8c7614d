/**
 * Joins pieces of text so that no output ends within a character: the first half of a surrogate pair waits for the
 * second. Encoded alone, each half would become U+FFFD.
 */
export interface WholeCharacters {
  /** Adds a piece and returns the text that can be written now. */
  add(text: string): string
  /** Returns the waiting half at the end of the text. */
  rest(): string
}

export function wholeCharacters(): WholeCharacters {
  let half = ''
  return {
    add(text) {
      const all = half + text
      const last = all.charCodeAt(all.length - 1)
      half = last >= 0xd800 && last <= 0xdbff ? all.slice(-1) : ''
      return half ? all.slice(0, -1) : all
    },
    rest() {
      const rest = half
      half = ''
      return rest
    },
  }
}
