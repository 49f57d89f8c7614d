import type { Block } from '../model/blocks.ts'
import type { Item } from '../model/items.ts'
import { isAgent } from '../model/tool-text.ts'

/** What is scrolled through: an item, or a block of one that is a long text. A new `version` has to be drawn anew. */
export interface Row {
  key: string
  item: Item
  /** How many sub-agents deep. */
  depth: number
  block: Block | undefined
  version: number
}

/** What a reader has opened or closed by hand, by the item's key. */
export type Opened = ReadonlyMap<string, boolean>

export const isOpen = (opened: Opened, key: string, byDefault: boolean): boolean => opened.get(key) ?? byDefault

/** A sub-agent that has done much is shown when it is asked for. */
const manyChildren = 30

/** Whether what a sub-agent did is shown below the call that began it. */
export const showsChildren = (item: Item, opened: Opened): boolean =>
  item.kind === 'tool' && isAgent(item.tool) && isOpen(opened, item.key, item.children.length <= manyChildren)

export function rowsOf(items: readonly Item[], opened: Opened): Row[] {
  const rows: Row[] = []
  const walk = (each: readonly Item[], depth: number) => {
    for (const item of each) {
      if (item.kind === 'text') {
        const { all } = item.blocks
        for (const [index, block] of all.entries()) {
          const isLast = index === all.length - 1
          // Only the last block can still change.
          const version = isLast ? block.source.length * 2 + Number(item.finished) : -1
          rows.push({ key: `${item.key}/${block.key}`, item, depth, block, version })
        }
      } else rows.push({ key: item.key, item, depth, block: undefined, version: item.version })
      if (item.kind === 'tool' && item.children.length > 0 && showsChildren(item, opened))
        walk(item.children, depth + 1)
    }
  }
  walk(items, 0)
  return rows
}
