import type { EventBody, Tokens } from '../../../../protocol/index.ts'
import { noTokens } from '../../../usage/tokens.ts'
import { isShape, msOf, nameOf, numberOf, type Shape, shapeOf, stringOf } from '../shape.ts'
import { assistantFrame } from './assistant.ts'
import { restartCounter } from './cost.ts'
import { kindOfFrame, notice } from './notice.ts'
import { type Outcome, outcomeOf, resultFrame } from './result.ts'
import type { TranslatorState } from './state.ts'
import { streamEvent } from './stream-event.ts'
import { systemFrame } from './system.ts'
import { callerOf, clearTurn, createTurnState, type Emit } from './turn-state.ts'
import { userFrame } from './user.ts'

export interface TranslatorOptions {
  /** Claude Code's id of the conversation, where it is known: chosen for a new one, or resumed. */
  claudeSessionId?: string | null
  /** What the session has cost before this process. */
  costUsd?: number
  /** Where Claude Code's own counter stood then; it is the same unless the conversation was reset (`/clear`). */
  counterUsd?: number
  /** The process was started with `--resume`. */
  resumed?: boolean
}

/**
 * Turns the frames of one process into events: pure, deterministic, and it never throws, whatever the value. One
 * translator a process. Of a run it gives the cost and `done` or `failed`; the events that only a session can know
 * (run_*, cancel*, interrupted, approval_*) it never gives.
 */
export interface Translator {
  /** The events of one frame, in order; `timeMs` (since epoch) is when its bytes arrived. */
  frame(frame: unknown, timeMs: number): EventBody[]
  /** Forgets everything in flight; the session's id and its cost stay. */
  reset(): void
  /** What has been said in the current turn, for a run that ends without a `result`. */
  outcome(): Outcome
  /** The tool use id of the call that began a task: the lane of what it does; undefined for one that does not run. */
  callOf(task: string): string | undefined
  readonly claudeSessionId: string | null
  /** The session's total. */
  readonly costUsd: number
  /** Claude Code's own counter, to be given to the next process's translator. */
  readonly counterUsd: number
  /** The latest result's. */
  readonly tokens: Tokens
  /** The API's last error of this turn, for `classifyExit`. */
  readonly apiError: TranslatorState['apiError']
  /** What the plan's limits last said, for the same. */
  readonly rateLimit: TranslatorState['rateLimit']
  /** All that it remembers: `resumeTranslator` of a copy of it goes on like this one. */
  readonly state: TranslatorState
}

export function createTranslator(options: TranslatorOptions = {}): Translator {
  const costUsd = options.costUsd ?? 0
  const counterUsd = options.counterUsd ?? costUsd
  return resumeTranslator({
    turn: createTurnState(),
    claudeSessionId: options.claudeSessionId ?? null,
    resetReason: null,
    cost: {
      totalUsd: costUsd,
      beforeUsd: costUsd - counterUsd,
      counterUsd,
      models: options.resumed ? null : new Map(),
    },
    tokens: noTokens,
    tasks: new Map(),
    resumed: options.resumed ?? false,
    sawInit: false,
    apiError: null,
    refused: false,
    blockedBy: null,
    rateLimit: null,
  })
}

export function resumeTranslator(state: TranslatorState): Translator {
  return {
    state,
    frame(frame, timeMs) {
      const events: EventBody[] = []
      translate(state, frame, timeMs, event => events.push(event))
      return events
    },
    reset() {
      clearTurn(state.turn, () => false)
      state.tasks.clear()
      state.apiError = null
      state.refused = false
      state.blockedBy = null
    },
    outcome: () => outcomeOf(state.turn),
    callOf: task => state.tasks.get(task),
    get claudeSessionId() {
      return state.claudeSessionId
    },
    get costUsd() {
      return state.cost.totalUsd
    },
    get counterUsd() {
      return state.cost.counterUsd
    },
    get tokens() {
      return state.tokens
    },
    get apiError() {
      return state.apiError
    },
    get rateLimit() {
      return state.rateLimit
    },
  }
}

function translate(state: TranslatorState, frame: unknown, timeMs: number, emit: Emit): void {
  if (!isShape(frame)) return emit(notice('unknown', frame))
  const sessionId = frame['session_id']
  if (sessionId !== state.claudeSessionId && !isFailedResume(state, frame))
    followSession(state, nameOf(sessionId), emit)
  switch (frame['type']) {
    case 'stream_event':
      return streamEvent(state, frame, timeMs, emit)
    case 'assistant':
      return assistantFrame(state, frame, timeMs, emit)
    case 'user':
      return userFrame(state, frame, timeMs, emit)
    case 'system':
      return systemFrame(state, frame, emit)
    case 'result':
      return resultFrame(state, frame, emit)
    case 'tool_progress':
      return toolProgress(state, frame, emit)
    case 'rate_limit_event':
      return rateLimit(state, frame, emit)
    case 'conversation_reset':
      return conversationReset(state, frame, emit)
    default:
      if (!isConsumed(frame)) emit(notice(kindOfFrame(frame), frame))
  }
}

/**
 * The frames that give no event, which is the whole exception to "nothing is dropped" (beside stream events that only
 * say what others say too: `ping`, `signature_delta`, and growing `partial` snapshots of older versions). They are no
 * news of the conversation, and all of them can be read on `session/<id>/frames`:
 * - questions to the session, its answers and their withdrawal: the session makes events of what they mean;
 * - `command_lifecycle`: echoes the uuid of a prompt that the session sent, and says what the run's events say;
 * - `keep_alive`: says nothing;
 * - `system/thinking_tokens` beside thinking whose text is streamed, and between two steps of 100 tokens.
 */
function isConsumed(frame: Shape): boolean {
  switch (frame['type']) {
    case 'control_request':
      return shapeOf(frame['request'])?.['subtype'] === 'can_use_tool'
    case 'control_response':
    case 'control_cancel_request':
    case 'command_lifecycle':
    case 'keep_alive':
      return true
    default:
      return false
  }
}

/** The result of a resume that failed carries a new id, under which there is no conversation (2.1.139). */
const isFailedResume = ({ resumed, sawInit }: TranslatorState, frame: Shape) =>
  resumed && !sawInit && frame['type'] === 'result' && frame['is_error'] === true

/** The id of the first frame that has one, then the latest: `/clear` and forks change it. */
function followSession(state: TranslatorState, to: string | undefined, emit: Emit): void {
  const from = state.claudeSessionId
  if (to === undefined || to === from) return
  state.claudeSessionId = to
  if (from !== null) emit({ type: 'claude_session_changed', from, to, reason: state.resetReason ?? 'new_session_id' })
  state.resetReason = null
}

/**
 * The conversation starts anew. `new_conversation_id` is no session id: what `--resume` takes is the `session_id` of
 * the frames that follow, and with the first of them the change is told.
 */
function conversationReset(state: TranslatorState, frame: Shape, emit: Emit): void {
  state.resetReason = nameOf(frame['trigger']) ?? 'conversation_reset'
  restartCounter(state.cost)
  emit(notice(kindOfFrame(frame), frame))
}

/** A heartbeat of tool X names `X-heartbeat-N` as the tool and X as its parent: it belongs to the lane that called X. */
function toolProgress({ turn }: TranslatorState, frame: Shape, emit: Emit): void {
  const named = stringOf(frame['tool_use_id']) ?? ''
  const parentTool = nameOf(frame['parent_tool_use_id'])
  const isHeartbeat = parentTool !== undefined && named.startsWith(`${parentTool}-heartbeat-`)
  const parent = isHeartbeat ? callerOf(turn, parentTool) : parentTool
  emit({
    type: 'tool_progress',
    toolUseId: isHeartbeat ? parentTool : named,
    elapsedMs: msOf(frame['elapsed_time_seconds'], 1_000) ?? 0,
    ...(parent !== undefined && { parent }),
  })
}

/** Mostly `allowed`: information. A rejection is remembered, for it tells a used-up plan from a busy API. */
function rateLimit(state: TranslatorState, frame: Shape, emit: Emit): void {
  const info = shapeOf(frame['rate_limit_info'])
  const status = nameOf(info?.['status'])
  if (!info || status === undefined) return emit(notice(kindOfFrame(frame), frame))
  const limitType = nameOf(info['rateLimitType'])
  const resetsAt = msOf(info['resetsAt'], 1_000)
  const utilization = numberOf(info['utilization'])
  state.rateLimit = { rejected: status === 'rejected', resetsAt: resetsAt ?? null }
  emit({
    type: 'rate_limit',
    status,
    ...(limitType !== undefined && { limitType }),
    ...(resetsAt !== undefined && { resetsAt }),
    ...(utilization !== undefined && { utilization }),
  })
}
