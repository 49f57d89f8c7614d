/**
 * Highlights code when the browser is idle. Loads the highlighter on first use. Sets classes only, because the content
 * security policy forbids inline styles. Skips code above 20,000 characters. Returns a function that cancels it.
 */
export function highlightWhenIdle(code: HTMLElement, language: string): () => void {
  let wanted = true
  whenIdle(async () => {
    if (!wanted || (code.textContent?.length ?? 0) > longestCode) return
    const { default: highlighter } = await import('highlight.js/lib/common')
    if (!wanted || !highlighter.getLanguage(language)) return
    // The highlighter escapes the code.
    code.innerHTML = highlighter.highlight(code.textContent ?? '', { language, ignoreIllegals: true }).value
  })
  return () => {
    wanted = false
  }
}

const longestCode = 20_000

/** Safari has no `requestIdleCallback`. */
const whenIdle = (work: () => Promise<void>) => {
  const run = () => void work()
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 2_000 })
  else setTimeout(run, 200)
}
