import { nameOf, type Shape } from '../shape.ts'
import { restartCounter } from './cost.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import type { Emit } from './turn-state.ts'

/** The result of a resume that failed carries a new id, under which there is no conversation (2.1.139). */
const isFailedResume = ({ resumed, sawInit }: TranslatorState, frame: Shape) =>
  resumed && !sawInit && frame['type'] === 'result' && frame['is_error'] === true

/** The id of the first frame that has one, then the latest: `/clear` and forks change it. */
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
 * The conversation starts anew. `new_conversation_id` is no session id: what `--resume` takes is the `session_id` of
 * the frames that follow, and with the first of them the change is told.
 */
export function conversationReset(state: TranslatorState, frame: Shape, emit: Emit): void {
  state.resetReason = nameOf(frame['trigger']) ?? 'conversation_reset'
  restartCounter(state.cost)
  emit(notice(kindOfFrame(frame), frame))
}
