/**
 * Whether `text` is what `pattern` describes; a star stands for any number of parts of the text, also none. Where a star
 * took too little only the last one is asked to take more, so the worst case is the product of both lengths.
 */
export function matchesWildcard<P, T>(
  pattern: ArrayLike<P>,
  text: ArrayLike<T>,
  isStar: (part: P) => boolean,
  matches: (part: P, at: T) => boolean,
): boolean {
  let place = 0
  let star = -1
  let taken = 0
  for (let at = 0; at < text.length; ) {
    const isLeft = place < pattern.length
    if (isLeft && isStar(pattern[place]!)) {
      star = place++
      taken = at
    } else if (isLeft && matches(pattern[place]!, text[at]!)) {
      place++
      at++
    } else if (star >= 0) {
      place = star + 1
      at = ++taken
    } else return false
  }
  while (place < pattern.length && isStar(pattern[place]!)) place++
  return place === pattern.length
}

/** The same for a text in which `*` is the star, and everything else itself. */
export function matchesStars(pattern: string, text: string): boolean {
  return matchesWildcard(
    pattern,
    text,
    part => part === '*',
    (part, character) => part === character,
  )
}
