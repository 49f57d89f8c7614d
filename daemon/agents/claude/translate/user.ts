import { keepNewest } from '../../../keep-newest.ts'
import type { EventBody } from '../../../../protocol/index.ts'
import { isShape, listOf, nameOf, type Shape, shapeOf, stringOf } from '../frame/shape.ts'
import { toolResult } from './blocks.ts'
import { finishMessage } from './messages.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import { addItem } from './transcript.ts'
import { type Emit, inLane, laneOf, type TranscriptItem } from './turn-state.ts'

/** `user`: input of the model. Mostly one tool result per frame, else a text, which is often Claude Code's own. */
export function userFrame(state: TranslatorState, frame: Shape, timeMs: number, emit: Emit): void {
  const { turn } = state
  const content = shapeOf(frame['message'])?.['content']
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content)
  const lane = laneOf(turn, nameOf(frame['parent_tool_use_id']))
  // A message without an id cannot be distinguished from the next one, so it ends before the user's input.
  if (lane.message && lane.message.id === undefined) finishMessage(lane, lane.message, emit)

  const results = blocks.filter(isToolResult)
  const texts = blocks.flatMap(block =>
    isShape(block) && block['type'] === 'text' ? (stringOf(block['text']) ?? []) : [],
  )
  const details = frame['tool_use_result']
  // If a frame has several results, it is unknown to which of them the details belong.
  const whose = results.length === 1 && details !== undefined && details !== null
  for (const result of results) {
    const event = toolResult(lane, result)
    if (whose) event.details = details
    emit(event)
  }
  if (texts.length > 0) emit(inLane(lane, userMessage(frame, texts.join('\n'))))
  const told = results.length + texts.length
  if (told === 0 || told < blocks.length || (details !== undefined && results.length > 1))
    emit(notice(kindOfFrame(frame), frame))

  if (lane !== turn.main) return
  const items = results.map((result): TranscriptItem => item('tool_result', result, timeMs))
  // A replayed text belongs to an earlier turn.
  if (texts.length > 0 && frame['isReplay'] !== true) items.push(item('user', texts.join('\n'), timeMs))
  for (const each of items) addItem(turn, each)
  const uuid = nameOf(frame['uuid'])
  if (uuid === undefined || items.length === 0) return
  turn.frames.set(uuid, { lane, blocks: [], items })
  keepNewest(turn.frames)
}

function userMessage(frame: Shape, text: string): Extract<EventBody, { type: 'user_message' }> {
  return {
    type: 'user_message',
    text,
    origin: nameOf(shapeOf(frame['origin'])?.['kind']) ?? null,
    synthetic: frame['isSynthetic'] === true,
    replay: frame['isReplay'] === true,
  }
}

function item(role: TranscriptItem['role'], content: unknown, timestampMs: number): TranscriptItem {
  return { role, content, timestampMs, withdrawn: false, length: 0, isLeftOut: false }
}

function isToolResult(block: unknown): block is Shape {
  return isShape(block) && block['type'] === 'tool_result' && nameOf(block['tool_use_id']) !== undefined
}
