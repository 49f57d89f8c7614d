import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { highlightWhenIdle } from './highlight.ts'
import { markdownToHtml } from './markdown-html.ts'

const directed = 'p, li, ul, ol, blockquote, h1, h2, h3, h4, h5, h6, th, td'

/** A piece of Markdown. `isWritten`: it will not grow any more, so its code may be coloured. */
export function Markdown({ source, isWritten }: { source: string; isWritten: boolean }) {
  const element = useRef<HTMLDivElement>(null)
  const html = useMemo(() => markdownToHtml(source), [source])
  useLayoutEffect(() => {
    element.current!.innerHTML = html
    // Each piece by its own first letter: an answer may be in several languages.
    for (const piece of element.current!.querySelectorAll<HTMLElement>(directed)) piece.dir = 'auto'
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

/** Beside code that is no element of this tree. */
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
