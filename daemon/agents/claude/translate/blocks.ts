import { keepNewest } from '../../../keep-newest.ts'
import type { EventBody } from '../../../../protocol/index.ts'
import { overBound } from '../frame-bounds.ts'
import { isShape, nameOf, type Shape, stringOf } from '../shape.ts'
import { limits } from '../../../../protocol/limits.ts'
import { addItem, extend } from './transcript.ts'
import { type Block, type BlockKind, type Emit, inLane, type Lane, type Message, type TurnState } from './turn-state.ts'

/** Where a block's events go. */
export interface Target {
  turn: TurnState
  lane: Lane
  message: Message
  emit: Emit
}

const toolTypes = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use'])

/**
 * A new block of a message, from the first that is known of it. Gives at once the start of a tool call and a whole
 * result; text is added by the caller, and so is the notice of a block that has no event.
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

/** Further text or thinking of a block. */
export function addText({ turn, lane, message, emit }: Target, block: Block, delta: string): void {
  if (delta === '') return
  extend(turn, block, delta)
  const type = block.kind === 'thinking' ? 'thinking' : 'assistant_text'
  emit(inLane(lane, { type, delta, ...placeOf(message, block) }))
}

/** Further sources of a text block. */
export function addCitations({ lane, message, emit }: Target, block: Block, citations: readonly unknown[]): void {
  block.citations += citations.length
  for (const citation of citations) emit(inLane(lane, { type: 'citation', citation, ...placeOf(message, block) }))
}

/** The message and the index of a block, where they are known. */
const placeOf = ({ id }: Message, { index }: Block) => ({
  ...(id !== undefined && { messageId: id }),
  ...(index !== undefined && { index }),
})

/** The whole call, once a block. */
export function finishTool({ turn, lane, emit }: Target, block: Block, input: unknown, incomplete: boolean): void {
  const { tool } = block
  if (!tool || tool.emitted) return
  tool.emitted = true
  // Of a sub-agent's tools nothing is told again.
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

/** The event of a `tool_result` block, or of its like for a tool that the API ran. */
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

/** A tool's input as it was streamed; its text where that is no JSON, or over a bound. */
export function streamedInput(block: Block): unknown {
  if (block.text.trim() === '') return inputOf(block.tool?.input)
  if (overBound(block.text)) return block.text
  try {
    return inputOf(JSON.parse(block.text))
  } catch {
    return block.text
  }
}

/** A tool's input as its complete frame has it. 2.1.139 puts `{}` in the place of one that was streamed and is no JSON. */
export function completeInput(block: Block, given: unknown, aborted: boolean): unknown {
  const input = inputOf(given)
  const isEmpty = isShape(input) && Object.keys(input).length === 0
  const isStreamed = block.text.length > 0 && block.length === block.text.length
  return isEmpty && isStreamed && !aborted ? streamedInput(block) : input
}

/** `{}` when there is none; the raw string where Claude Code wraps what was no JSON. */
function inputOf(input: unknown): unknown {
  if (input === undefined || input === null) return {}
  if (!isShape(input)) return input
  const wrapped = input['__unparsedToolInput']
  return (isShape(wrapped) ? stringOf(wrapped['raw']) : undefined) ?? input
}

/** The text a block holds: streamed blocks begin with some of it, complete ones have it all. */
export function textOf(source: Shape): string {
  return stringOf(source['type'] === 'thinking' ? source['thinking'] : source['text']) ?? ''
}

/** A block without what its events need (a tool without id) counts as `other`. */
export function kindOf(source: Shape): BlockKind {
  const type = source['type']
  if (type === 'text' || type === 'thinking') return type
  if (type === 'redacted_thinking') return 'redacted'
  if (typeof type !== 'string') return 'other'
  if (toolTypes.has(type)) return nameOf(source['id']) && nameOf(source['name']) ? 'tool' : 'other'
  if (type.endsWith('_tool_result') && nameOf(source['tool_use_id'])) return 'result'
  return 'other'
}
