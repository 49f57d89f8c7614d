import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { highlightWhenIdle } from './highlight.ts'
import { markdownToHtml } from './markdown-html.ts'

/** A piece of Markdown. `isWritten`: it will not grow any more, so its code may be coloured. */
export function Markdown({ source, isWritten }: { source: string; isWritten: boolean }) {
  const element = useRef<HTMLDivElement>(null)
  const html = useMemo(() => markdownToHtml(source), [source])
  useLayoutEffect(() => {
    element.current!.innerHTML = html
    // Each piece by its own first letter: an answer may be in several languages. Not what is in a piece: a list or a table
    // does not look at the letters of parts that have a direction of their own.
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
