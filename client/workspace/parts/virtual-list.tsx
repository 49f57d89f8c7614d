import { type ComponentChildren, Fragment, type RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Number of rows rendered beyond each edge. */
const margin = 8

/**
 * Renders the visible part of a long list whose rows all have one height. When `cursor`, the index of a row, changes,
 * that row is scrolled into view. Other attributes, such as `role`, go to the list element.
 */
export function VirtualList<Item>({
  items,
  rowHeight,
  cursor,
  keyOf,
  renderRow,
  scroller,
  onScroll,
  ...attributes
}: {
  items: readonly Item[]
  rowHeight: number
  cursor?: number | undefined
  keyOf(item: Item): string | number
  renderRow(item: Item, index: number): ComponentChildren
  scroller?: RefObject<HTMLDivElement | null>
  onScroll?(element: HTMLDivElement): void
  [attribute: string]: unknown
}) {
  const own = useRef<HTMLDivElement>(null)
  const ref = scroller ?? own
  const [view, setView] = useState({ top: 0, height: 800 })

  const look = () => {
    // The observer may call once more after the list is unmounted.
    if (!ref.current) return
    const { scrollTop: top, clientHeight: height } = ref.current
    setView(before => (before.top === top && before.height === height ? before : { top, height }))
  }
  useEffect(() => {
    const observer = new ResizeObserver(look)
    observer.observe(ref.current!)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    if (cursor === undefined || !ref.current) return
    const { scrollTop, clientHeight } = ref.current
    const top = cursor * rowHeight
    if (top < scrollTop) ref.current.scrollTop = top
    else if (top + rowHeight > scrollTop + clientHeight) ref.current.scrollTop = top + rowHeight - clientHeight
  }, [cursor, items.length > 0])

  const first = Math.max(0, Math.floor(view.top / rowHeight) - margin)
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + margin)
  return (
    <div
      {...attributes}
      ref={ref}
      onScroll={() => {
        look()
        onScroll?.(ref.current!)
      }}
    >
      <div class="virtual" style={{ height: `${items.length * rowHeight}px` }} role="presentation">
        <div style={{ transform: `translateY(${first * rowHeight}px)` }} role="presentation">
          {items.slice(first, last).map((item, offset) => (
            <Fragment key={keyOf(item)}>{renderRow(item, first + offset)}</Fragment>
          ))}
        </div>
      </div>
    </div>
  )
}
