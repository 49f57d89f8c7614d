import { countOf, nameOf, type Shape, shapeOf, stringOf } from '../frame/shape.ts'
import { addCitations, addText, finishTool, openBlock, streamedInput, type Target, textOf } from './blocks.ts'
import { addUsage, finishMessage, startMessage, withdraw } from './messages.ts'
import { extend } from './transcript.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import { type Block, type BlockKind, type Emit, type Lane, laneOf, type Message } from './turn-state.ts'

/** `stream_event`: an event of the Messages API, unchanged. Only with `--include-partial-messages`. */
export function streamEvent(state: TranslatorState, frame: Shape, timeMs: number, emit: Emit): void {
  const event = shapeOf(frame['event'])
  if (!event) return emit(notice(kindOfFrame(frame), frame))
  const lane = laneOf(state.turn, nameOf(frame['parent_tool_use_id']))
  switch (event['type']) {
    case 'content_block_delta':
      return delta(target(state, lane, frame, emit), event, frame, timeMs)
    case 'content_block_start': {
      const source = shapeOf(event['content_block']) ?? {}
      const into = target(state, lane, frame, emit)
      const block = openBlock(into, source, countOf(event['index']), timeMs)
      if (block.kind === 'text' || block.kind === 'thinking') addText(into, block, textOf(source))
      else if (block.kind === 'other') emit(notice(kindOfFrame(frame), frame))
      return
    }
    case 'content_block_stop':
      return blockStop(state, lane, event, emit)
    case 'message_start': {
      const source = shapeOf(event['message']) ?? {}
      const start = { id: nameOf(source['id']), model: nameOf(source['model']), streamed: true }
      state.apiError = null
      addUsage(startMessage(state.turn, lane, emit, start), source['usage'])
      return
    }
    case 'message_delta': {
      const message = namedMessage(lane, frame)
      if (!message) return
      message.stopReason = stringOf(shapeOf(event['delta'])?.['stop_reason']) ?? message.stopReason
      addUsage(message, event['usage'])
      return
    }
    case 'message_stop':
      if (!namedMessage(lane, frame)) return
      return messageStop(lane, shapeOf(frame['abandoned_blocks']) ?? shapeOf(event['abandoned_blocks']), emit)
    case 'ping':
      return
    case 'error': {
      const error = shapeOf(event['error'])
      state.apiError = { error: null, type: stringOf(error?.['type']) ?? null, status: null }
      return emit(notice(kindOfFrame(frame), frame))
    }
    default:
      return emit(notice(kindOfFrame(frame), frame))
  }
}

/**
 * Returns the message of the lane, unless the frame names another one. A withdrawn or replaced message is not updated.
 */
function namedMessage({ message }: Lane, frame: Shape): Message | undefined {
  const id = nameOf(frame['api_message_id'])
  return id === undefined || message?.id === undefined || message.id === id ? message : undefined
}

/** Returns the destination of a block's events. Starts a message for a stream whose beginning was not seen. */
function target({ turn }: TranslatorState, lane: Lane, frame: Shape, emit: Emit): Target {
  const open = lane.message && !lane.message.closed ? lane.message : undefined
  const message =
    open ?? startMessage(turn, lane, emit, { id: nameOf(frame['api_message_id']), model: undefined, streamed: true })
  return { turn, lane, message, emit }
}

function delta(into: Target, event: Shape, frame: Shape, timeMs: number): void {
  const change = shapeOf(event['delta']) ?? {}
  const index = countOf(event['index'])
  switch (change['type']) {
    case 'text_delta':
      return addText(into, blockFor(into, 'text', index, timeMs), stringOf(change['text']) ?? '')
    case 'thinking_delta':
      return addText(into, blockFor(into, 'thinking', index, timeMs), stringOf(change['thinking']) ?? '')
    case 'input_json_delta': {
      const block = findBlock(into.message.blocks, into.message.current, index)
      const json = stringOf(change['partial_json'])
      if (block?.kind !== 'tool' || json === undefined) return into.emit(notice(kindOfFrame(frame), frame))
      extend(into.turn, block, json)
      return
    }
    case 'citations_delta':
      return addCitations(into, blockFor(into, 'text', index, timeMs), [change['citation']])
    case 'signature_delta':
      return
    default:
      return into.emit(notice(kindOfFrame(frame), frame))
  }
}

/** Returns the block of a delta. Opens it if its start was not seen. */
function blockFor(into: Target, kind: BlockKind, index: number | undefined, timeMs: number): Block {
  const block = findBlock(into.message.blocks, into.message.current, index)
  if (block?.kind !== kind) return openBlock(into, { type: kind }, index, timeMs)
  into.message.current = block
  return block
}

/** Finds a block by index. An event without an index means the current block. */
function findBlock(blocks: Block[], current: Block | undefined, index: number | undefined): Block | undefined {
  if (index === undefined || current?.index === index) return current
  return blocks.findLast(block => block.index === index)
}

function blockStop({ turn }: TranslatorState, lane: Lane, event: Shape, emit: Emit): void {
  const { message } = lane
  if (!message) return
  const block = findBlock(message.blocks, message.current, countOf(event['index']))
  if (!block) return
  // The complete frame contains an input that was too long to be kept.
  if (block.tool && !block.tool.emitted && block.length === block.text.length)
    finishTool({ turn, lane, message, emit }, block, streamedInput(block), false)
  // Claude Code prints no complete frame for blank text.
  if (block.kind === 'text' && block.length === block.text.length && block.text.trim() === '') block.complete = true
  if (message.current === block) message.current = undefined
}

/** Ends the message. `abandoned`: the attempt was abandoned, and its blocks from the named index on are withdrawn. */
function messageStop(lane: Lane, abandoned: Shape | undefined, emit: Emit): void {
  const { message } = lane
  if (!message || message.closed) return
  if (abandoned) {
    const from = countOf(abandoned['from_block_index']) ?? 0
    const place = message.blocks.findIndex((block, at) => (block.index ?? at) >= from)
    if (place >= 0 || from === 0) withdraw(lane, message, Math.max(place, 0), emit)
  }
  finishMessage(lane, message, emit)
}
