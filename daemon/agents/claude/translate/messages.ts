import type { EventBody, Tokens } from '../../../../protocol/index.ts'
import { countOf, isShape, type Shape } from '../shape.ts'
import { finishTool, streamedInput } from './blocks.ts'
import { type Emit, inLane, type Lane, type Message, openMessage, type TurnState } from './turn-state.ts'

/** A message begins in a lane; one before it that was never completed is thereby withdrawn. */
export function startMessage(
  turn: TurnState,
  lane: Lane,
  emit: Emit,
  start: { id: string | undefined; model: string | undefined; streamed: boolean },
): Message {
  leaveMessage(lane, emit)
  return startBeside(turn, lane, emit, start)
}

/** A message begins in a lane while the one before it stays open. */
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
 * The lane goes on without this message. Streamed and never stopped, it was dropped: what no complete frame has
 * confirmed is withdrawn. Known from complete frames alone, it is finished: nothing announces that.
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

/** Takes back a message from the block at place `from` on. What stands before it in the message is kept. */
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

/** The turn is over: tools that were begun are given as far as they came, and messages without an end get it. */
export function closeLane(turn: TurnState, lane: Lane, emit: Emit): void {
  const { message } = lane
  if (!message || message.closed) return
  for (const block of message.blocks)
    finishTool({ turn, lane, message, emit }, block, streamedInput(block), !block.complete)
  finishMessage(lane, message, emit)
}

const counts = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens']

/** Adds what a further frame says of a message's usage; a count it leaves out stands. */
export function addUsage(message: Message, usage: unknown): void {
  if (!isShape(usage)) return
  for (const name of counts) {
    if (countOf(usage[name]) !== undefined) message.usage = { ...message.usage, [name]: usage[name] }
  }
}

/** Tokens as the API counts them; what is missing or no count is none. */
export function tokensOf(usage: unknown): Tokens {
  const told: Shape = isShape(usage) ? usage : {}
  return {
    input: countOf(told['input_tokens']) ?? 0,
    output: countOf(told['output_tokens']) ?? 0,
    cacheCreation: countOf(told['cache_creation_input_tokens']) ?? 0,
    cacheRead: countOf(told['cache_read_input_tokens']) ?? 0,
  }
}
