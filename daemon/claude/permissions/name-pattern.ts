import { matchesWildcard } from './wildcard.ts'

/** A pattern for one name of a path, as in .gitignore: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before what means itself. */
export type NamePattern = readonly Token[]

type Token = 'star' | 'any' | { ranges: readonly Range[]; negated: boolean }
type Range = readonly [first: string, last: string]

/** `undefined` where a bracket is not closed. */
export function parseNamePattern(name: string): NamePattern | undefined {
  const tokens: Token[] = []
  for (let at = 0; at < name.length; at++) {
    const character = name[at]!
    if (character === '*') tokens.push('star')
    else if (character === '?') tokens.push('any')
    else if (character === '[') {
      const set = /^\[([!^]?)(\]?(?:\\[^]|[^\]\\])*)\]/.exec(name.slice(at))
      if (!set) return undefined
      tokens.push({ ranges: rangesOf(set[2]!), negated: set[1] !== '' })
      at += set[0].length - 1
    } else {
      const literal = character === '\\' && at + 1 < name.length ? name[++at]! : character
      tokens.push({ ranges: [[literal, literal]], negated: false })
    }
  }
  return tokens
}

export function matchesName(pattern: NamePattern, name: string): boolean {
  return matchesWildcard(pattern, name, token => token === 'star', isOneOf)
}

function isOneOf(token: Token, character: string): boolean {
  if (typeof token === 'string') return true
  return token.ranges.some(([first, last]) => first <= character && character <= last) !== token.negated
}

function rangesOf(set: string): Range[] {
  return [...set.matchAll(/(\\[^]|[^])(?:-(\\[^]|[^]))?/g)].map(
    ([, first = '', last = first]): Range => [first.at(-1)!, last.at(-1)!],
  )
}
