import type { TranscriptEntry } from '../../../../protocol/index.ts'
import { limits } from '../../../../protocol/limits.ts'
import type { Outcome, Said } from '../../agent.ts'
import { classifyResult } from '../failure.ts'
import { countOf, listOf, msOf, nameOf, type Shape, stringOf } from '../shape.ts'
import { costEvent } from './cost.ts'
import { closeLane } from './messages.ts'
import { beginningOf } from './transcript.ts'
import type { TranslatorState } from './state.ts'
import { type Block, clearTurn, type Emit, type Lane, type TranscriptItem, type TurnState } from './turn-state.ts'

/** `result`: the turn is over. Emits what was left open and the cost, and returns the outcome; the turn is forgotten. */
export function resultFrame(state: TranslatorState, frame: Shape, emit: Emit): Outcome {
  const { turn } = state
  const running = new Set(state.tasks.values())
  const over = (lane: Lane) => lane.parent === undefined || !running.has(lane.parent)
  // The turn's last message has no frame that names its stop reason when it was not streamed.
  const last = turn.main.message
  if (last && !last.closed) last.stopReason ??= stringOf(frame['stop_reason']) ?? null
  for (const lane of [turn.main, ...turn.lanes.values()]) if (over(lane)) closeLane(turn, lane, emit)

  const cost = costEvent(state.cost, frame)
  state.tokens = cost.tokens
  emit(cost)
  const said = outcomeOf(turn, stringOf(frame['result']))
  const failed = isFailure(frame) || isBlocked(state, frame)
  const outcome: Outcome = failed
    ? { type: 'failed', failure: classifyResult(frame, state), ...said }
    : doneEvent(frame, said)
  clearTurn(turn, parent => running.has(parent))
  state.apiError = null
  state.refused = false
  state.blockedBy = null
  return outcome
}

/** What has been said in this turn. `result` is Claude Code's own word for it, where it has one. */
export function outcomeOf(turn: TurnState, result?: string): Said {
  const whole = result ?? lastText(turn)
  const response = beginningOf(whole, limits.maxResponseLength)
  return {
    response,
    transcript: turn.transcript.flatMap(entryOf),
    ...(response !== whole && { responseCut: { characters: whole.length - response.length } }),
    ...(turn.leftOut.entries > 0 && { transcriptCut: { ...turn.leftOut } }),
  }
}

/** The text of the last message that has any. */
function lastText({ messages }: TurnState): string {
  for (const message of messages.toReversed()) {
    let text = ''
    for (const block of message.blocks) {
      // Together they may be longer than a string can be.
      if (block.kind === 'text' && text.length <= limits.maxResponseLength) text += block.text
    }
    if (text !== '') return text
  }
  return ''
}

function entryOf({ role, content, timestampMs, block, withdrawn, isLeftOut }: TranscriptItem): TranscriptEntry[] {
  if (withdrawn || isLeftOut) return []
  const told = content ?? (block && streamedContent(block))
  return told === undefined ? [] : [{ role, content: told, timestampMs }]
}

/** A block whose complete frame has not come, in the shape that it would have there. */
function streamedContent(block: Block): unknown {
  if (block.tool) return [{ type: 'tool_use', id: block.tool.id, name: block.tool.name, input: block.tool.input ?? {} }]
  if (block.text === '') return undefined
  return [block.kind === 'thinking' ? { type: 'thinking', thinking: block.text } : { type: 'text', text: block.text }]
}

/** `subtype: "success"` may still be an error: every failure of the API is. */
function isFailure(frame: Shape): boolean {
  return frame['is_error'] === true || (stringOf(frame['subtype'])?.startsWith('error') ?? false)
}

/** A hook refused the prompt: Claude Code calls the turn a success, though it made no request. */
const isBlocked = ({ blockedBy }: TranslatorState, frame: Shape) => blockedBy !== null && frame['num_turns'] === 0

function doneEvent(frame: Shape, said: Said): Outcome {
  const stopReason = nameOf(frame['stop_reason'])
  const terminalReason = nameOf(frame['terminal_reason'])
  const denials = listOf(frame['permission_denials'])
  return {
    type: 'done',
    ...said,
    ...(stopReason !== undefined && { stopReason }),
    ...(terminalReason !== undefined && { terminalReason }),
    numTurns: countOf(frame['num_turns']) ?? 0,
    durationMs: msOf(frame['duration_ms']) ?? 0,
    ...(denials.length > 0 && { denials: [...denials] }),
    ...(frame['structured_output'] !== undefined && { structuredOutput: frame['structured_output'] }),
  }
}
