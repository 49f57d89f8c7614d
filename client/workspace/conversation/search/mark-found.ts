/** Marks the words within these elements, without changing them. Returns what takes the marks away. */
export function markFound(name: string, elements: readonly HTMLElement[], words: string): () => void {
  // Where there are no highlights, rows are found all the same.
  if (!('highlights' in CSS)) return () => {}
  const ranges = elements.flatMap(element => rangesIn(element, words.trim().toLowerCase()))
  const mine = new Highlight(...ranges)
  CSS.highlights.set(name, mine)
  // Another pane may have set its own since.
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
      // Some letters are longer in lower case.
      if (at + words.length > node.textContent!.length) break
      const range = new Range()
      range.setStart(node, at)
      range.setEnd(node, at + words.length)
      ranges.push(range)
    }
  }
  return ranges
}
