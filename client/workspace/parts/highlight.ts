/**
 * Colours code, when there is nothing better to do: the highlighter is loaded with the first code there is. Only classes
 * are set, for styles are not allowed to come with a text. Returns what calls it off.
 */
export function highlightWhenIdle(code: HTMLElement, language: string): () => void {
  let wanted = true
  whenIdle(async () => {
    if (!wanted || (code.textContent?.length ?? 0) > longestCode) return
    const { default: highlighter } = await import('highlight.js/lib/common')
    if (!wanted || !highlighter.getLanguage(language)) return
    // It escapes whatever is in the code.
    code.innerHTML = highlighter.highlight(code.textContent ?? '', { language, ignoreIllegals: true }).value
  })
  return () => {
    wanted = false
  }
}

const longestCode = 20_000

/** Safari has no idle callbacks. */
const whenIdle = (work: () => Promise<void>) => {
  const run = () => void work()
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 2_000 })
  else setTimeout(run, 200)
}
