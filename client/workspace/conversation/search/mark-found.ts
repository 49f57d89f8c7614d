/** Highlights the words in these elements without changing the DOM. Returns a function that removes the highlight. */
export function markFound(name: string, elements: readonly HTMLElement[], words: string): () => void {
  // Without the CSS Custom Highlight API, the search works but marks nothing.
  if (!('highlights' in CSS)) return () => {}
  const ranges = elements.flatMap(element => rangesIn(element, words.trim().toLowerCase()))
  const mine = new Highlight(...ranges)
  CSS.highlights.set(name, mine)
  // Another pane may have set the highlight since.
  return () => void (CSS.highlights.get(name) === mine && CSS.highlights.delete(name))
}

const mostRanges = 500

function rangesIn(element: HTMLElement, words: string): Range[] {
  const ranges: Range[] = []
  if (!words) return ranges
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent!.toLowerCase()
    for (let at = text.indexOf(words); at >= 0 && ranges.length < mostRanges; at = text.indexOf(words, at + 1)) {
      // Lower-casing can lengthen the text, which shifts the positions.
      if (at + words.length > node.textContent!.length) break
      const range = new Range()
      range.setStart(node, at)
      range.setEnd(node, at + words.length)
      ranges.push(range)
    }
  }
  return ranges
}
