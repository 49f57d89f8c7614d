import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { highlightWhenIdle } from './highlight.ts'
import { markdownToHtml } from './markdown-html.ts'

/** Renders Markdown. `isWritten`: the source is complete, so its code can be highlighted. */
export function Markdown({ source, isWritten }: { source: string; isWritten: boolean }) {
  const element = useRef<HTMLDivElement>(null)
  const html = useMemo(() => markdownToHtml(source), [source])
  useLayoutEffect(() => {
    element.current!.innerHTML = html
    // Each top-level element gets its direction from its own first letter, because an answer may mix languages. Nested
    // elements get no `dir`: the direction of a list or table ignores descendants that have one.
    for (const piece of element.current!.children) (piece as HTMLElement).dir = piece.matches('pre') ? 'ltr' : 'auto'
  }, [html])
  useLayoutEffect(() => {
    const codes = [...element.current!.querySelectorAll<HTMLElement>('pre > code')]
    for (const code of codes) addCopy(code)
    if (!isWritten) return
    const calledOff = codes.map(code => {
      const language = /language-(\S+)/.exec(code.className)?.[1]
      return language ? highlightWhenIdle(code, language) : () => {}
    })
    return () => calledOff.forEach(callOff => callOff())
  }, [html, isWritten])
  return <div ref={element} class="markdown" />
}

/** Adds a copy button to a code block, which Preact does not manage because it comes from `innerHTML`. */
function addCopy(code: HTMLElement): void {
  const pre = code.parentElement!
  if (pre.querySelector('.copy')) return
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.ariaLabel = 'Copy code'
  button.addEventListener('click', () => {
    void navigator.clipboard.writeText(code.textContent ?? '').then(() => {
      button.textContent = 'Copied'
    })
  })
  pre.append(button)
}
