import type { EventBody, Tokens } from '../../../../protocol/index.ts'
import { countOf, isShape, type Shape } from '../frame/shape.ts'
import { finishTool, streamedInput } from './blocks.ts'
import { type Emit, inLane, type Lane, type Message, openMessage, type TurnState } from './turn-state.ts'

/** Starts a message in a lane. The message before it is withdrawn as far as it was never completed. */
export function startMessage(
  turn: TurnState,
  lane: Lane,
  emit: Emit,
  start: { id: string | undefined; model: string | undefined; streamed: boolean },
): Message {
  leaveMessage(lane, emit)
  return startBeside(turn, lane, emit, start)
}

/** Starts a message in a lane while the one before it stays open. */
export function startBeside(
  turn: TurnState,
  lane: Lane,
  emit: Emit,
  start: { id: string | undefined; model: string | undefined; streamed: boolean },
): Message {
  const message = openMessage(turn, lane, start.id, start.streamed)
  if (start.id !== undefined) {
    const event: Extract<EventBody, { type: 'message_started' }> = { type: 'message_started', messageId: start.id }
    if (start.model !== undefined) event.model = start.model
    emit(inLane(lane, event))
  }
  return message
}

/**
 * Leaves the message of a lane. A streamed message without a stop was dropped, so the blocks that no complete frame has
 * confirmed are withdrawn. A message of complete frames alone is finished, because no frame announces its end.
 */
function leaveMessage(lane: Lane, emit: Emit): void {
  const { message } = lane
  if (!message || message.closed) return
  const firstLost = message.streamed ? message.blocks.findIndex(block => !block.complete) : -1
  if (firstLost >= 0 || (message.streamed && message.blocks.length === 0))
    withdraw(lane, message, Math.max(firstLost, 0), emit)
  finishMessage(lane, message, emit)
}

export function finishMessage(lane: Lane, message: Message, emit: Emit): void {
  if (message.closed) return
  message.closed = true
  if (message.id === undefined) return
  const event: Extract<EventBody, { type: 'message_finished' }> = {
    type: 'message_finished',
    messageId: message.id,
    stopReason: message.stopReason,
  }
  if (message.usage) event.usage = tokensOf(message.usage)
  emit(inLane(lane, event))
}

/** Withdraws a message from the block with index `from` on, and keeps the blocks before it. */
export function withdraw(lane: Lane, message: Message, from: number, emit: Emit): void {
  const lost = message.blocks.splice(from)
  for (const block of lost) if (block.item) block.item.withdrawn = true
  if (message.current && lost.includes(message.current)) message.current = undefined
  if (from === 0) message.closed = true
  if (message.id === undefined) return
  const event: Extract<EventBody, { type: 'message_discarded' }> = { type: 'message_discarded', messageId: message.id }
  if (from > 0) event.fromIndex = lost[0]?.index ?? from
  emit(inLane(lane, event))
}

/**
 * Closes a lane at the end of a turn. Emits incomplete tool calls as far as they came, and finishes an open message.
 */
export function closeLane(turn: TurnState, lane: Lane, emit: Emit): void {
  const { message } = lane
  if (!message || message.closed) return
  for (const block of message.blocks)
    finishTool({ turn, lane, message, emit }, block, streamedInput(block), !block.complete)
  finishMessage(lane, message, emit)
}

const counts = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens']

/** Adds the usage in a further frame of a message. A missing count keeps its value. */
export function addUsage(message: Message, usage: unknown): void {
  if (!isShape(usage)) return
  for (const name of counts) {
    if (countOf(usage[name]) !== undefined) message.usage = { ...message.usage, [name]: usage[name] }
  }
}

/** Returns the API's token counts. A missing or invalid count is 0. */
export function tokensOf(usage: unknown): Tokens {
  const told: Shape = isShape(usage) ? usage : {}
  return {
    input: countOf(told['input_tokens']) ?? 0,
    output: countOf(told['output_tokens']) ?? 0,
    cacheCreation: countOf(told['cache_creation_input_tokens']) ?? 0,
    cacheRead: countOf(told['cache_read_input_tokens']) ?? 0,
  }
}
