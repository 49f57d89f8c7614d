import { useOpen } from '../pane-context.ts'
import type { FileChange, Hunk } from '../model/file-change.ts'

const shownLines = 24

/** The change of a file, line by line. `of` is the key that stores whether it is unfolded. */
export function Diff({ of, change }: { of: string; change: FileChange }) {
  const [open, toggle] = useOpen(`${of}#diff`, false)
  const lines = change.hunks.flatMap(linesOf)
  const isLong = lines.length > shownLines + 4
  const shown = open || !isLong ? lines : lines.slice(0, shownLines)
  return (
    <>
      <div class={open && isLong ? 'diff unfolded' : 'diff'} tabIndex={open && isLong ? 0 : undefined}>
        {shown.map((line, index) => (
          <div key={index} class={`diff-line ${line.kind}`}>
            <span class="number">{line.before ?? ''}</span>
            <span class="number">{line.after ?? ''}</span>
            <span class="sign">{signs[line.kind]}</span>
            <code>{line.text}</code>
          </div>
        ))}
      </div>
      {isLong && (
        <button type="button" class="more" aria-expanded={open} onClick={toggle}>
          {open ? 'Show less' : `${lines.length - shownLines} more lines`}
        </button>
      )}
    </>
  )
}

interface Line {
  kind: 'same' | 'added' | 'removed' | 'between'
  text: string
  before?: number
  after?: number
}

const signs = { same: ' ', added: '+', removed: '−', between: '⋯' }

function linesOf(hunk: Hunk, index: number): Line[] {
  let before = hunk.oldStart
  let after = hunk.newStart
  const lines = hunk.lines.map((line): Line => {
    const text = line.slice(1)
    if (line.startsWith('+')) return { kind: 'added', text, after: after++ }
    if (line.startsWith('-')) return { kind: 'removed', text, before: before++ }
    return { kind: 'same', text, before: before++, after: after++ }
  })
  return index > 0 ? [{ kind: 'between', text: '' }, ...lines] : lines
}
