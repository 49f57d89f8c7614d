import { oneLine } from '../../parts/format.ts'
import type { ThinkingItem } from '../model/items.ts'
import { useOpen } from '../pane-context.ts'

/** Claude's thinking, folded by default. */
export function Thinking({ item }: { item: ThinkingItem; version: number }) {
  const [open, toggle] = useOpen(item.key, false)
  return (
    <div class="thinking">
      <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
        <span class={item.finished ? 'label' : 'label in-progress'}>{item.finished ? 'Thought' : 'Thinking'}</span>
        {!open && (
          <span class="clip excerpt" dir="auto">
            {oneLine(item.text.slice(0, 400))}
          </span>
        )}
      </button>
      {open && (
        <pre class="thought" dir="auto">
          {item.text || 'Nothing of it was told.'}
        </pre>
      )}
    </div>
  )
}
