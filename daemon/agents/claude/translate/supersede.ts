import { withdraw } from './messages.ts'
import type { Emit, Lane, Message, TurnState } from './turn-state.ts'

/**
 * Withdraws the frames with these uuids, which a later answer replaces (after a refusal, or a tool call that could not
 * be parsed). A message is withdrawn from its first replaced block on, because all later blocks followed that one.
 */
export function supersede(turn: TurnState, uuids: readonly string[], emit: Emit): void {
  const replaced = new Map<Message, { lane: Lane; from: number }>()
  for (const uuid of uuids) {
    const place = turn.frames.get(uuid)
    if (!place) continue
    turn.frames.delete(uuid)
    for (const item of place.items) item.withdrawn = true
    if (!place.message) continue
    const { message, lane } = place
    for (const block of place.blocks) {
      const from = message.blocks.indexOf(block)
      if (from >= 0) replaced.set(message, { lane, from: Math.min(from, replaced.get(message)?.from ?? from) })
    }
  }
  for (const [message, { lane, from }] of replaced) withdraw(lane, message, from, emit)
}
