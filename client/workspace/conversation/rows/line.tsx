import type { LineItem } from '../model/items.ts'
import { useOpen } from '../pane-context.ts'

/** A remark in one line, with an optional detail to unfold. */
export function Line({ item }: { item: LineItem; version: number }) {
  const [open, toggle] = useOpen(item.key, false)
  const { text, tone, detail, about } = item
  return (
    <div class={`line ${tone}`}>
      {detail === undefined || about === 'task' ? (
        <p dir="auto">{text}</p>
      ) : (
        <>
          <button type="button" class="fold" dir="auto" aria-expanded={open} onClick={toggle}>
            {text}
          </button>
          {open && (
            <pre class="output unfolded" dir="auto">
              {detail}
            </pre>
          )}
        </>
      )}
    </div>
  )
}
