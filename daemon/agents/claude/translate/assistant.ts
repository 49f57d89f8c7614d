import { keepNewest } from '../../../keep-newest.ts'
import { countOf, isShape, listOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from '../frame/shape.ts'
import { addCitations, addText, completeInput, finishTool, kindOf, openBlock, type Target, textOf } from './blocks.ts'
import { addUsage, finishMessage, startBeside, startMessage } from './messages.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import { supersede } from './supersede.ts'
import { completeText, hold, lengthOf } from './transcript.ts'
import { type Block, type Emit, type Lane, laneOf, type Message, type TurnState } from './turn-state.ts'

/**
 * `assistant`: complete content blocks of a message, mostly one per frame. Emits only the part of a block that was not
 * streamed, so that runs with and without stream events have the same text and tools.
 */
export function assistantFrame(state: TranslatorState, frame: Shape, timeMs: number, emit: Emit): void {
  const body = shapeOf(frame['message'])
  if (!body) return emit(notice(kindOfFrame(frame), frame))
  // Older versions repeat a message while it grows. The complete frame follows.
  if (frame['partial'] === true) return
  supersede(state.turn, stringsOf(frame['supersedes']), emit)
  noteApiError(state, frame, laneOf(state.turn, nameOf(frame['parent_tool_use_id'])).message)
  const { turn } = state
  const lane = laneOf(turn, nameOf(frame['parent_tool_use_id']))
  const interrupted = isSynthetic(body) && isWhole(lane.message) ? lane.message : undefined
  const message = interrupted
    ? startBeside(turn, lane, emit, { id: nameOf(body['id']), model: nameOf(body['model']), streamed: false })
    : messageFor(state, lane, body, emit)
  if (interrupted) message.stopReason = stringOf(body['stop_reason']) ?? null
  const target: Target = { turn, lane, message, emit }
  const blocks: Block[] = []
  let unknown = false
  for (const source of blocksOf(body['content'])) {
    const found = matching(message, source)
    const block = found ?? openBlock(target, source, message.blocks.length, timeMs)
    unknown ||= !found && block.kind === 'other'
    complete(target, block, source, frame['aborted'] === true)
    blocks.push(block)
  }
  if (unknown) emit(notice(kindOfFrame(frame), frame))
  tellTranscript(turn, blocks, body['content'], timeMs)
  const uuid = nameOf(frame['uuid'])
  if (uuid !== undefined) {
    turn.frames.set(uuid, { lane, message, blocks, items: [] })
    keepNewest(turn.frames)
  }
  if (!interrupted) return
  finishMessage(lane, message, emit)
  lane.message = interrupted
}

/** Whether Claude Code wrote the message itself. */
const isSynthetic = (body: Shape) => body['model'] === '<synthetic>'

/** Whether all blocks of an open, streamed message are complete. Only its stop reason and its end are missing then. */
const isWhole = (message: Message | undefined) =>
  message !== undefined && message.streamed && !message.closed && message.blocks.every(block => block.complete)

/** Returns the message of the frame: the lane's own, or a new one. A frame without an id continues the open message. */
function messageFor({ turn }: TranslatorState, lane: Lane, body: Shape, emit: Emit): Message {
  const id = nameOf(body['id'])
  const open = lane.message
  const same = open && (id !== undefined && open.id !== undefined ? open.id === id : !open.closed)
  const message = same ? open : startMessage(turn, lane, emit, { id, model: nameOf(body['model']), streamed: false })
  const stopReason = stringOf(body['stop_reason'])
  if (stopReason !== undefined && !message.streamed) {
    message.stopReason = stopReason
    // Before the stop reason is known, the counts are only the first estimate for the request.
    addUsage(message, body['usage'])
  }
  return message
}

/**
 * Returns the streamed block that this complete one repeats: a tool by its id, any other by its kind. Prefers the
 * current block, because a block before it may never get a frame of its own.
 */
function matching(message: Message, source: Shape): Block | undefined {
  const kind = kindOf(source)
  if (kind === 'tool') return message.blocks.find(block => block.tool?.id === source['id'])
  const isOpen = (block: Block) => !block.complete && block.kind === kind
  const { current } = message
  return current && isOpen(current) ? current : message.blocks.find(isOpen)
}

function complete(target: Target, block: Block, source: Shape, aborted: boolean): void {
  block.complete = true
  if (block.kind === 'text' || block.kind === 'thinking') {
    const whole = textOf(source)
    if (whole.startsWith(block.text)) addText(target, block, whole.slice(block.length))
    completeText(target.turn, block, whole)
    addCitations(target, block, listOf(source['citations']).slice(block.citations))
  } else if (block.kind === 'tool') finishTool(target, block, completeInput(block, source['input'], aborted), aborted)
}

/** Makes the content of the frame one entry of the transcript, at the position of its first block. */
function tellTranscript(turn: TurnState, blocks: readonly Block[], content: unknown, timeMs: number): void {
  const [first, ...others] = blocks.flatMap(({ item }) => (item && item.content === undefined ? item : []))
  if (!first) return
  for (const item of others) item.withdrawn = true
  if (first.isLeftOut) return
  first.content = content
  first.timestampMs = timeMs
  hold(turn, first, lengthOf(content))
}

function blocksOf(content: unknown): Shape[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return listOf(content).filter(isShape)
}

/** Notes the API error of a message that Claude Code wrote after its last retry. Any other message clears the error. */
function noteApiError(state: TranslatorState, frame: Shape, before: Message | undefined): void {
  const error = nameOf(frame['error'])
  state.apiError =
    error === undefined
      ? null
      : {
          error,
          type: stringOf(frame['api_error_type']) ?? null,
          // 2.1.197 names the status only in earlier retries.
          status: countOf(frame['api_error_status']) ?? state.apiError?.status ?? null,
          // The stream of a message without a stop reason was broken off.
          ...(before?.streamed && before.stopReason === null && { midAnswer: true }),
          ...(state.apiError && { retried: true }),
        }
}
