import { nameOf, type Shape } from '../frame/shape.ts'
import { restartCounter } from './cost.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import type { Emit } from './turn-state.ts'

/** Whether the frame is the result of a failed resume. It has a new id without a conversation (2.1.139). */
const isFailedResume = ({ resumed, sawInit }: TranslatorState, frame: Shape) =>
  resumed && !sawInit && frame['type'] === 'result' && frame['is_error'] === true

/** Follows the session id: the first one in a frame, then the latest. `/clear` and forks change it. */
export function followSession(state: TranslatorState, frame: Shape, emit: Emit): void {
  const from = state.claudeSessionId
  if (frame['session_id'] === from || isFailedResume(state, frame)) return
  const to = nameOf(frame['session_id'])
  if (to === undefined) return
  state.claudeSessionId = to
  if (from !== null) emit({ type: 'claude_session_changed', from, to, reason: state.resetReason ?? 'new_session_id' })
  state.resetReason = null
}

/**
 * Handles the reset of a conversation. `new_conversation_id` is not a session id. `--resume` takes the `session_id` of
 * the following frames, and the first of them emits the change.
 */
export function conversationReset(state: TranslatorState, frame: Shape, emit: Emit): void {
  state.resetReason = nameOf(frame['trigger']) ?? 'conversation_reset'
  restartCounter(state.cost)
  emit(notice(kindOfFrame(frame), frame))
}
