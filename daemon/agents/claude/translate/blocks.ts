import { keepNewest } from '../../../keep-newest.ts'
import type { EventBody } from '../../../../protocol/index.ts'
import { overBound } from '../frame/frame-bounds.ts'
import { isShape, nameOf, type Shape, stringOf } from '../frame/shape.ts'
import { limits } from '../../../../protocol/limits.ts'
import { addItem, extend } from './transcript.ts'
import { type Block, type BlockKind, type Emit, inLane, type Lane, type Message, type TurnState } from './turn-state.ts'

/** The destination of the events of a block. */
export interface Target {
  turn: TurnState
  lane: Lane
  message: Message
  emit: Emit
}

const toolTypes = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use'])

/**
 * Opens a block of a message from its first known content. Emits the start of a tool call, a whole result, or redacted
 * thinking at once. The caller adds text, and emits the notice of a block without an event.
 */
export function openBlock(target: Target, source: Shape, index: number | undefined, timeMs: number): Block {
  const { turn, lane, message, emit } = target
  const block: Block = {
    kind: kindOf(source),
    index,
    text: '',
    length: 0,
    citations: 0,
    complete: false,
    item: undefined,
  }
  message.blocks.push(block)
  if (message.blocks.length > limits.maxFrameBlocks) message.blocks.shift()
  message.current = block
  if (lane === turn.main) {
    block.item = {
      role: 'assistant',
      content: undefined,
      timestampMs: timeMs,
      block,
      withdrawn: false,
      length: 0,
      isLeftOut: false,
    }
    addItem(turn, block.item)
  }
  if (block.kind === 'tool') {
    const tool = { id: String(source['id']), name: String(source['name']), input: source['input'], emitted: false }
    block.tool = tool
    lane.tools.set(tool.id, tool.name)
    keepNewest(lane.tools)
    emit(inLane(lane, { type: 'tool_started', toolUseId: tool.id, tool: tool.name }))
  } else if (block.kind === 'result') emit(toolResult(lane, source))
  else if (block.kind === 'redacted') {
    const bytes = Buffer.byteLength(stringOf(source['data']) ?? '')
    emit(inLane(lane, { type: 'redacted_thinking', bytes, ...placeOf(message, block) }))
  }
  return block
}

/** Adds text or thinking to a block. */
export function addText({ turn, lane, message, emit }: Target, block: Block, delta: string): void {
  if (delta === '') return
  extend(turn, block, delta)
  const type = block.kind === 'thinking' ? 'thinking' : 'assistant_text'
  emit(inLane(lane, { type, delta, ...placeOf(message, block) }))
}

/** Adds citations to a text block. */
export function addCitations({ lane, message, emit }: Target, block: Block, citations: readonly unknown[]): void {
  block.citations += citations.length
  for (const citation of citations) emit(inLane(lane, { type: 'citation', citation, ...placeOf(message, block) }))
}

/** Returns the message id and the index of a block as far as they are known. */
const placeOf = ({ id }: Message, { index }: Block) => ({
  ...(id !== undefined && { messageId: id }),
  ...(index !== undefined && { index }),
})

/** Emits the whole tool call, once for each block. */
export function finishTool({ turn, lane, emit }: Target, block: Block, input: unknown, incomplete: boolean): void {
  const { tool } = block
  if (!tool || tool.emitted) return
  tool.emitted = true
  // The input of a sub-agent's tool is not needed again.
  tool.input = lane === turn.main && !block.item?.isLeftOut ? input : undefined
  const event: Extract<EventBody, { type: 'tool_use' }> = {
    type: 'tool_use',
    toolUseId: tool.id,
    tool: tool.name,
    input,
  }
  if (incomplete) event.incomplete = true
  emit(inLane(lane, event))
}

/** Returns the event of a `tool_result` block, or of the corresponding block for a tool that the API ran. */
export function toolResult(lane: Lane, source: Shape): Extract<EventBody, { type: 'tool_result' }> {
  const toolUseId = String(source['tool_use_id'])
  const tool = lane.tools.get(toolUseId)
  const event: Extract<EventBody, { type: 'tool_result' }> = {
    type: 'tool_result',
    toolUseId,
    ...(tool !== undefined && { tool }),
    output: source['content'] ?? '',
    isError: source['is_error'] === true,
  }
  return inLane(lane, event)
}

/** Returns the streamed input of a tool, or its text if that is not JSON or is above a bound. */
export function streamedInput(block: Block): unknown {
  if (block.text.trim() === '') return inputOf(block.tool?.input)
  if (overBound(block.text)) return block.text
  try {
    return inputOf(JSON.parse(block.text))
  } catch {
    return block.text
  }
}

/** Returns the input of a tool in its complete frame. 2.1.139 replaces a streamed input that is not JSON by `{}`. */
export function completeInput(block: Block, given: unknown, aborted: boolean): unknown {
  const input = inputOf(given)
  const isEmpty = isShape(input) && Object.keys(input).length === 0
  const isStreamed = block.text.length > 0 && block.length === block.text.length
  return isEmpty && isStreamed && !aborted ? streamedInput(block) : input
}

/** Returns `{}` for a missing input, and the raw string if Claude Code wrapped an input that was not JSON. */
function inputOf(input: unknown): unknown {
  if (input === undefined || input === null) return {}
  if (!isShape(input)) return input
  const wrapped = input['__unparsedToolInput']
  return (isShape(wrapped) ? stringOf(wrapped['raw']) : undefined) ?? input
}

/** Returns the text of a block: the beginning for a streamed block, all of it for a complete one. */
export function textOf(source: Shape): string {
  return stringOf(source['type'] === 'thinking' ? source['thinking'] : source['text']) ?? ''
}

/** Returns the kind of a block. A block that lacks a field for its events (a tool without an id) is `other`. */
export function kindOf(source: Shape): BlockKind {
  const type = source['type']
  if (type === 'text' || type === 'thinking') return type
  if (type === 'redacted_thinking') return 'redacted'
  if (typeof type !== 'string') return 'other'
  if (toolTypes.has(type)) return nameOf(source['id']) && nameOf(source['name']) ? 'tool' : 'other'
  if (type.endsWith('_tool_result') && nameOf(source['tool_use_id'])) return 'result'
  return 'other'
}
