import type { Item } from './model/items.ts'

/** What came after `seq` in the main conversation: how many items, and the first of them. */
export function unreadAfter(seq: number, items: readonly Item[]): { count: number; first: Item | undefined } {
  let at = items.length
  while (at > 0 && items[at - 1]!.seq > seq) at--
  return { count: items.length - at, first: items[at] }
}
