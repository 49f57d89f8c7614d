import type { Block } from '../model/blocks.ts'
import type { Item, TextItem } from '../model/items.ts'
import type { Transcript } from '../model/transcript.ts'
import { isAgent, outputText } from '../model/tool-output.ts'

/** What is scrolled through: an item, or a block of one that is a long text. A new `version` has to be drawn anew. */
export interface Row {
  readonly key: string
  readonly item: Item
  /** How many sub-agents deep. */
  readonly depth: number
  readonly block: Block | undefined
  /** Of a sub-agent's call: its answer, a row of its own behind what led to it. */
  readonly isAnswer?: true
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

/** Makes rows of a transcript's items; from one time to the next only what has changed since and what is below it. */
export function createRows(): (transcript: Transcript, opened: Opened) => readonly Row[] {
  let made: { of: Transcript; opened: Opened } | undefined
  let rows: Row[] = []
  // Where the rows of each item of the main conversation begin.
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

/** Only its last block can still change. */
function addText(rows: Row[], item: TextItem, depth: number): void {
  const { all } = item.blocks
  for (const [index, block] of all.entries()) {
    const version = index === all.length - 1 ? item.version : -1
    rows.push({ key: `${item.key}/${block.key}`, item, depth, block, version })
  }
}

/** Where in the log a row begins. */
export const placeOf = ({ item, block, isAnswer }: Row): number => {
  if (isAnswer && item.kind === 'tool') return item.answerSeq ?? item.seq
  return block ? Number.parseInt(block.key, 10) : item.seq
}
