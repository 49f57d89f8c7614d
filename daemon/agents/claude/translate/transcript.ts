import { limits } from '../../../../protocol/limits.ts'
import { isShape } from '../frame/shape.ts'
import type { Block, TranscriptItem, TurnState } from './turn-state.ts'

/**
 * Bounds the content that a turn keeps in memory for its terminal event. Lengths are in characters. The newest items
 * are kept, because they contain the response, and the oldest are left out. The events of all items are complete.
 */

export function addItem(turn: TurnState, item: TranscriptItem): void {
  turn.transcript.push(item)
  hold(turn, item, item.content === undefined ? 0 : lengthOf(item.content))
}

/** Sets the length that an item holds, and leaves out the oldest items while the turn holds too much. */
export function hold(turn: TurnState, item: TranscriptItem, length: number): void {
  if (item.isLeftOut) return
  turn.heldLength += length - item.length
  item.length = length
  while (isOverBound(turn)) leaveOut(turn, turn.transcript[turn.oldest++]!)
  // Items are removed in batches, because each removal moves the whole list.
  if (turn.oldest > 1_000 && turn.oldest * 2 > turn.transcript.length) {
    turn.transcript.splice(0, turn.oldest)
    turn.oldest = 0
  }
}

function isOverBound({ transcript, oldest, heldLength }: TurnState): boolean {
  const entries = transcript.length - oldest
  return entries > 1 && (heldLength > limits.maxTranscriptLength || entries > limits.maxTranscriptEntries)
}

function leaveOut(turn: TurnState, item: TranscriptItem): void {
  if (!item.withdrawn) {
    turn.leftOut.entries += 1
    turn.leftOut.characters += item.length
  }
  turn.heldLength -= item.length
  Object.assign(item, { isLeftOut: true, length: 0, content: undefined })
  if (!item.block) return
  item.block.text = ''
  if (item.block.tool?.emitted) item.block.tool.input = undefined
}

/** Adds the part of `text` that still fits to the text of a block. `length` counts all of it. */
export function extend(turn: TurnState, block: Block, text: string): void {
  block.length += text.length
  if (block.item?.isLeftOut) return
  const isInMainLane = block.item !== undefined
  const room = Math.min(
    limits.maxBlockLength - block.text.length,
    isInMainLane ? Number.POSITIVE_INFINITY : limits.maxTranscriptLength - turn.laneLength,
  )
  const added = beginningOf(text, Math.max(room, 0))
  block.text += added
  if (!isInMainLane) turn.laneLength += added.length
  else if (block.item?.content === undefined) hold(turn, block.item!, block.text.length)
}

/** Sets the whole text of a block from its complete frame. */
export function completeText(turn: TurnState, block: Block, whole: string): void {
  block.length = Math.max(block.length, whole.length)
  if (block.item === undefined) {
    turn.laneLength -= block.text.length
    block.text = ''
  } else if (!block.item.isLeftOut) block.text = beginningOf(whole, limits.maxBlockLength)
}

/** Returns the first `length` characters of a text, without half of a surrogate pair at the end. */
export function beginningOf(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}

/** Returns about the length of a value's JSON. The recursion is bounded, because the nesting of frames is. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  let length = 8
  if (Array.isArray(value)) for (const item of value) length += lengthOf(item)
  else if (isShape(value)) for (const [name, item] of Object.entries(value)) length += name.length + lengthOf(item)
  return length
}
