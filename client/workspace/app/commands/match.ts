/**
 * Scores how well a text matches a query; 0 if one of its words does not match. A match at the beginning of a word
 * scores higher than one in its middle. Letters in order with others between them score lowest, and only for words of
 * three letters and more.
 */
export function matchScore(query: string, text: string): number {
  const lower = text.toLowerCase()
  let total = 1
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const score = wordScore(word, lower)
    if (!score) return 0
    total += score
  }
  return total
}

function wordScore(word: string, text: string): number {
  const at = text.indexOf(word)
  if (at === 0) return 40
  if (at > 0) return isLetter(text[at - 1]!) ? 15 : 30
  let from = 0
  for (const letter of word) {
    const next = text.indexOf(letter, from)
    if (next < 0) return 0
    from = next + 1
  }
  return word.length > 2 ? 3 : 0
}

const isLetter = (character: string) => /[\p{L}\p{N}]/u.test(character)
