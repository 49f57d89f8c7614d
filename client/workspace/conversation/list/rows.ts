import type { Block } from '../model/blocks.ts'
import type { Item, TextItem } from '../model/items.ts'
import { isAgent } from '../model/tool-text.ts'

/** What is scrolled through: an item, or a block of one that is a long text. What has to be drawn anew is another row. */
export interface Row {
  readonly key: string
  readonly item: Item
  /** How many sub-agents deep. */
  readonly depth: number
  readonly block: Block | undefined
  readonly version: number
}

/** What a reader has opened or closed by hand, by the item's key. */
export type Opened = ReadonlyMap<string, boolean>

export const isOpen = (opened: Opened, key: string, byDefault: boolean): boolean => opened.get(key) ?? byDefault

/** A sub-agent that has done much is shown when it is asked for. */
const manyChildren = 30

/** Whether what a sub-agent did is shown below the call that began it. */
export const showsChildren = (item: Item, opened: Opened): boolean =>
  item.kind === 'tool' && isAgent(item.tool) && isOpen(opened, item.key, item.children.length <= manyChildren)

/** Makes rows of items: the very rows of the last time for what has not changed since, and the same list if nothing has. */
export function createRows(): (items: readonly Item[], opened: Opened) => readonly Row[] {
  const made = new WeakMap<Item, { version: number; rows: readonly Row[] }>()
  let last: readonly Row[] = []

  function rowsOf(item: Item, depth: number): readonly Row[] {
    const before = made.get(item)
    if (before?.version === item.version) return before.rows
    const rows = item.kind === 'text' ? rowsOfText(item, depth, before?.rows) : [rowOf(item, depth)]
    made.set(item, { version: item.version, rows })
    return rows
  }

  return (items, opened) => {
    const rows: Row[] = []
    const walk = (each: readonly Item[], depth: number) => {
      for (const item of each) {
        for (const row of rowsOf(item, depth)) rows.push(row)
        if (item.kind === 'tool' && item.children.length > 0 && showsChildren(item, opened))
          walk(item.children, depth + 1)
      }
    }
    walk(items, 0)
    if (rows.length !== last.length || rows.some((row, index) => row !== last[index])) last = rows
    return last
  }
}

const rowOf = (item: Item, depth: number): Row => ({
  key: item.key,
  item,
  depth,
  block: undefined,
  version: item.version,
})

/** Only its last block can still change. */
function rowsOfText(item: TextItem, depth: number, before: readonly Row[] = []): readonly Row[] {
  const { all } = item.blocks
  return all.map((block, index) => {
    const known = before[index]
    if (known?.block === block) return known
    const version = index === all.length - 1 ? item.version : -1
    return { key: `${item.key}/${block.key}`, item, depth, block, version }
  })
}
