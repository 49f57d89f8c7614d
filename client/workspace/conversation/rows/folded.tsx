import { useOpen } from '../pane-context.ts'

/** Shows the first lines of a text until the user unfolds it. `of` is the key that stores whether it is unfolded. */
export function Folded({ of, text, lines, class: name }: { of: string; text: string; lines: number; class: string }) {
  const [open, toggle] = useOpen(of, false)
  const end = endOfLines(text, lines)
  const more = end < text.length ? text.slice(end).split('\n').length - 1 : 0
  // Do not hide a single line: the button would take as much space.
  const isLong = more > 1 || end < text.length - 2_000
  return (
    <>
      <pre class={open && isLong ? `${name} unfolded` : name} dir="auto" tabIndex={open && isLong ? 0 : undefined}>
        {open || !isLong ? text : text.slice(0, end)}
      </pre>
      {isLong && (
        <button type="button" class="more" aria-expanded={open} onClick={toggle}>
          {open ? 'Show less' : more > 1 ? `${more} more lines` : 'Show all'}
        </button>
      )}
    </>
  )
}

/** Returns the index where the first lines end, limited to 400 characters per line on average. */
function endOfLines(text: string, lines: number): number {
  let end = -1
  for (let line = 0; line < lines; line++) {
    const next = text.indexOf('\n', end + 1)
    if (next < 0) return Math.min(text.length, lines * 400)
    if (next > lines * 400) return lines * 400
    end = next
  }
  return end
}
