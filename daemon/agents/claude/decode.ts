import type { EventBody } from '../../../protocol/index.ts'
import { passThrowPoint } from '../../hook-points.ts'
import type { Decoded, Signal, Unparsed } from '../agent.ts'
import { followBackgroundTasks, tasksOf } from './facts/background-tasks.ts'
import type { ClaudeDecoder } from './claude-decoder.ts'
import { controlSignals } from './control-signals.ts'
import { notDecodable } from './frame/frame.ts'
import { isShape, nameOf, type Shape, shapeOf } from './frame/shape.ts'
import { assistantFrame } from './translate/assistant.ts'
import { conversationReset, followSession } from './translate/conversation-id.ts'
import { kindOfFrame, notice } from './translate/notice.ts'
import { rateLimit } from './translate/rate-limit.ts'
import { resultFrame } from './translate/result.ts'
import { streamEvent } from './translate/stream-event.ts'
import { systemFrame } from './translate/system.ts'
import { toolProgress } from './translate/tool-progress.ts'
import { lengthOf } from './translate/transcript.ts'
import { userFrame } from './translate/user.ts'
import { readTurn } from './facts/turn.ts'

/** Decodes a frame. No other code reads it. An exception makes the frame `unparsed`. */
export function decode(decoder: ClaudeDecoder, frame: unknown, time: number): Decoded | { unparsed: Unparsed } {
  try {
    passThrowPoint('translated', shapeOf(frame)?.['type'])
    return isShape(frame) ? decodeFrame(decoder, frame, time) : { signals: none, events: [notice('unknown', frame)] }
  } catch {
    return notDecodable(lengthOf(frame))
  }
}

/**
 * Every frame becomes an event, except stream events that repeat others, thinking tokens beside streamed thinking, and:
 * - requests to the session, answers to its requests, and withdrawals, which are signals;
 * - `command_lifecycle`, which repeats the events of the run;
 * - `keep_alive`, which carries no information.
 */
function decodeFrame(decoder: ClaudeDecoder, frame: Shape, time: number): Decoded {
  const { translator: state } = decoder
  const events: EventBody[] = []
  const emit = (event: EventBody) => void events.push(event)
  followSession(state, frame, emit)
  switch (frame['type']) {
    case 'stream_event':
      streamEvent(state, frame, time, emit)
      return { signals: none, events }
    case 'assistant':
      assistantFrame(state, frame, time, emit)
      return { signals: none, events }
    case 'user':
      userFrame(state, frame, time, emit)
      return { signals: none, events }
    case 'system': {
      systemFrame(state, frame, emit)
      const turn = readTurn(frame)
      return { ...(turn && { turn }), signals: systemSignals(decoder, frame), events }
    }
    case 'result': {
      const outcome = resultFrame(state, frame, emit)
      return { turn: readTurn(frame)!, signals: none, events, outcome, spare: notice('result', frame) }
    }
    case 'tool_progress':
      toolProgress(state, frame, emit)
      return { signals: none, events }
    case 'rate_limit_event':
      rateLimit(state, frame, emit)
      return { signals: none, events }
    case 'conversation_reset':
      conversationReset(state, frame, emit)
      return { signals: none, events }
    case 'control_request':
      // A request that every session refuses is shown as a notice.
      if (shapeOf(frame['request'])?.['subtype'] !== 'can_use_tool') emit(notice(kindOfFrame(frame), frame))
      return { signals: controlSignals(decoder, frame), events }
    case 'control_response':
    case 'control_cancel_request':
      return { signals: controlSignals(decoder, frame), events }
    case 'command_lifecycle':
      return { ...promptProgress(frame), events }
    case 'keep_alive':
      return { signals: none, events }
    default:
      emit(notice(kindOfFrame(frame), frame))
      return { signals: none, events }
  }
}

const none: readonly Signal[] = []

function systemSignals(decoder: ClaudeDecoder, frame: Shape): readonly Signal[] {
  const before = decoder.tasks
  decoder.tasks = followBackgroundTasks(before, frame)
  const isNotification = frame['subtype'] === 'task_notification'
  if (decoder.tasks === before && !isNotification) return none
  const background: Signal = { signal: 'background', tasks: tasksOf(decoder.tasks) }
  // The same name as in the origin of the turn's result.
  return isNotification ? [background, { signal: 'cause', kind: 'task-notification' }] : [background]
}

/**
 * `command_lifecycle`: the progress of a prompt. A prompt that joined another turn ends before the result of that turn.
 */
function promptProgress(frame: Shape): Pick<Decoded, 'signals' | 'promptEnd'> {
  const prompt = nameOf(frame['command_uuid'])
  if (prompt === undefined) return { signals: none }
  const completed = frame['state'] === 'completed'
  const signals: Signal[] = [{ signal: 'arrived', prompt }]
  return completed || frame['state'] === 'cancelled' ? { signals, promptEnd: { prompt, completed } } : { signals }
}
