import type { TranscriptEntry } from '../../../../protocol/index.ts'
import { limits } from '../../../../protocol/limits.ts'
import type { Outcome, Said } from '../../agent.ts'
import { classifyResult } from '../facts/failure.ts'
import { countOf, listOf, msOf, nameOf, type Shape, stringOf } from '../frame/shape.ts'
import { costEvent } from './cost.ts'
import { closeLane } from './messages.ts'
import { beginningOf } from './transcript.ts'
import type { TranslatorState } from './state.ts'
import { type Block, clearTurn, type Emit, type Lane, type TranscriptItem, type TurnState } from './turn-state.ts'

/**
 * `result`: the end of the turn. Emits open tool calls and messages and the cost, returns the outcome, and forgets the
 * turn.
 */
export function resultFrame(state: TranslatorState, frame: Shape, emit: Emit): Outcome {
  const { turn } = state
  const running = new Set(state.tasks.values())
  const over = (lane: Lane) => lane.parent === undefined || !running.has(lane.parent)
  // If the last message was not streamed, no other frame names its stop reason.
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

/** Returns the response and the transcript of the turn. `result` is the response that Claude Code names, if it does. */
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

/** Returns the text of the last message that has any. */
function lastText({ messages }: TurnState): string {
  for (const message of messages.toReversed()) {
    let text = ''
    for (const block of message.blocks) {
      // The blocks together may be longer than a string can be.
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

/** Returns the content of a block without a complete frame, in the shape of that frame. */
function streamedContent(block: Block): unknown {
  if (block.tool) return [{ type: 'tool_use', id: block.tool.id, name: block.tool.name, input: block.tool.input ?? {} }]
  if (block.text === '') return undefined
  return [block.kind === 'thinking' ? { type: 'thinking', thinking: block.text } : { type: 'text', text: block.text }]
}

/** A result with `subtype: "success"` may still be an error, as every failure of the API is. */
function isFailure(frame: Shape): boolean {
  return frame['is_error'] === true || (stringOf(frame['subtype'])?.startsWith('error') ?? false)
}

/** Whether a hook refused the prompt. Claude Code calls the turn a success, although it made no request. */
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
