import type { Block } from '../model/blocks.ts'
import type { Item, TextItem } from '../model/items.ts'
import type { Transcript } from '../model/transcript.ts'
import { isAgent, outputText } from '../model/tool-output.ts'

/** One row of the list: an item, or one block of a text item. A row with a new `version` has to be rendered again. */
export interface Row {
  readonly key: string
  readonly item: Item
  /** Number of sub-agents around it. */
  readonly depth: number
  readonly block: Block | undefined
  /** The row is the answer of a sub-agent, which follows its steps. */
  readonly isAnswer?: true
  readonly version: number
}

/** What the user has opened or closed, by the item's key. */
export type Opened = ReadonlyMap<string, boolean>

export const isOpen = (opened: Opened, key: string, byDefault: boolean): boolean => opened.get(key) ?? byDefault

/** A sub-agent with more items than this is closed by default. */
const manyChildren = 30

/** Whether the items of a sub-agent are shown below the call that started it. */
export const showsChildren = (item: Item, opened: Opened): boolean =>
  item.kind === 'tool' && isAgent(item.tool) && isOpen(opened, item.key, item.children.length <= manyChildren)

/** Makes rows of the items of a transcript. A later call only rebuilds from the first changed item on. */
export function createRows(): (transcript: Transcript, opened: Opened) => readonly Row[] {
  let made: { of: Transcript; opened: Opened } | undefined
  let rows: Row[] = []
  // The index of the first row of each item of the main conversation.
  let begins: number[] = []
  return (of, opened) => {
    const isKnown = made?.of === of && made.opened === opened
    made = { of, opened }
    const changed = of.takeChanged()
    const from = isKnown ? changed : 0
    if (isKnown && from === of.items.length && from === begins.length) return rows
    rows = rows.slice(0, isKnown ? (begins[from] ?? rows.length) : 0)
    begins = begins.slice(0, from)
    for (const item of of.items.slice(from)) {
      begins.push(rows.length)
      add(rows, item, 0, opened)
    }
    return rows
  }
}

function add(rows: Row[], item: Item, depth: number, opened: Opened): void {
  const { key, version } = item
  if (item.kind === 'text') addText(rows, item, depth)
  else rows.push({ key, item, depth, block: undefined, version })
  if (item.kind !== 'tool' || !showsChildren(item, opened)) return
  for (const child of item.children) add(rows, child, depth + 1, opened)
  if (item.children.length > 0 && outputText(item.output).trim())
    rows.push({ key: `${key}#answer`, item, depth: depth + 1, block: undefined, isAnswer: true, version })
}

/** Adds a row per block. Only the last block can still change; finished blocks have version -1. */
function addText(rows: Row[], item: TextItem, depth: number): void {
  const { all } = item.blocks
  for (const [index, block] of all.entries()) {
    const version = index === all.length - 1 ? item.version : -1
    rows.push({ key: `${item.key}/${block.key}`, item, depth, block, version })
  }
}

/** Returns the seq at which a row begins. */
export const placeOf = ({ item, block, isAnswer }: Row): number => {
  if (isAnswer && item.kind === 'tool') return item.answerSeq ?? item.seq
  return block ? Number.parseInt(block.key, 10) : item.seq
}
