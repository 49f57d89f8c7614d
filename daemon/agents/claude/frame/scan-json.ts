/** The state that the scans of one search for JSON objects in a text share. */
export interface Search {
  /** The number of characters that the scans may still read. */
  budget: number
  /** The indexes of opening braces from which a scan is known to fail. */
  failed: Set<number>
}

type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'separator'

/**
 * Returns the index behind the closing brace of the JSON object that opens at `start`; undefined if the text at `start`
 * does not begin with a JSON object.
 *
 * The scan fails at the first character that JSON does not allow, so a truncated object costs only its own length.
 * Braces in strings do not count. Every object that is open at the failure would fail at the same character, so
 * `failed` gets their indexes. The scan is iterative, because the text chooses its nesting.
 */
export function endOfObject(text: string, start: number, search: Search): number | undefined {
  const open: number[] = []
  let expected: Expected = 'value'
  let at = start
  const fail = (): undefined => {
    search.budget -= at - start
    for (const place of open) search.failed.add(place)
  }
  while (at - start <= search.budget) {
    at = skipSpace(text, at)
    const character = text[at]
    const isEnd = expected === 'separator' || expected === 'first key' || expected === 'first value'
    if (isEnd && (character === '}' || character === ']')) {
      const opening = open.pop()
      if (opening === undefined || text[opening] !== (character === '}' ? '{' : '[')) return fail()
      at += 1
      expected = 'separator'
      if (open.length > 0) continue
      search.budget -= at - start
      return at
    }
    if (expected === 'separator') {
      if (character !== ',') return fail()
      expected = text[open.at(-1)!] === '{' ? 'key' : 'value'
      at += 1
    } else if (expected === 'colon') {
      if (character !== ':') return fail()
      expected = 'value'
      at += 1
    } else if (expected === 'key' || expected === 'first key') {
      const end = endOfString(text, at)
      if (end === undefined) return fail()
      expected = 'colon'
      at = end
    } else if (character === '{' || character === '[') {
      open.push(at)
      expected = character === '{' ? 'first key' : 'first value'
      at += 1
    } else {
      const end = endOfString(text, at) ?? endOfWord(text, at)
      if (end === undefined) return fail()
      expected = 'separator'
      at = end
    }
  }
  return fail()
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1
  return at
}

/** Returns the index behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number | undefined {
  if (text[start] !== '"') return undefined
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return quote + 1
  }
  return undefined
}

const word = /true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y

function endOfWord(text: string, start: number): number | undefined {
  word.lastIndex = start
  return word.test(text) ? word.lastIndex : undefined
}
