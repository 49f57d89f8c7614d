import type { Item } from './model/items.ts'

/** Returns the number of items of the main conversation that began after `seq`, and the first of them. */
export function unreadAfter(seq: number, items: readonly Item[]): { count: number; first: Item | undefined } {
  let at = items.length
  while (at > 0 && items[at - 1]!.seq > seq) at--
  return { count: items.length - at, first: items[at] }
}
