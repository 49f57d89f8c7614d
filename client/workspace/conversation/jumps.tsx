import { useRef } from 'preact/hooks'
import { Icon } from '../parts/icons.tsx'
import type { Item } from './model/items.ts'

/** The items that began after the user last saw the end of the conversation. */
export interface Unread {
  count: number
  first: Item | undefined
}

/** While the user sees the end (`isSeen`), nothing is unread. */
export function useUnread(items: readonly Item[], lastSeq: number, isSeen: boolean): Unread {
  const seen = useRef(0)
  if (isSeen && document.visibilityState === 'visible') seen.current = lastSeq
  let at = items.length
  while (at > 0 && items[at - 1]!.seq > seen.current) at--
  return { count: items.length - at, first: items[at] }
}

/** Buttons that jump to the first unread item and to the end. */
export function Jumps({ unread, onUnread, onEnd }: JumpsProps) {
  return (
    <div class="jumps">
      {unread?.first && (
        <button type="button" class="button" onClick={() => onUnread(unread.first!)}>
          {unread.count} unread
        </button>
      )}
      <button type="button" class="button" onClick={onEnd}>
        <span class="down">
          <Icon name="chevron" />
        </span>
        Latest
      </button>
    </div>
  )
}

interface JumpsProps {
  unread: Unread | undefined
  onUnread(first: Item): void
  onEnd(): void
}
