import type { EventBody } from '../../../../protocol/index.ts'
import { redact } from '../../../log/redact.ts'
import { countOf, listOf, msOf, nameOf, type Shape, shapeOf, stringOf, stringsOf } from '../frame/shape.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import { supersede } from './supersede.ts'
import { taskFrame } from './tasks.ts'
import { clearTurn, type Emit } from './turn-state.ts'

type SystemFrame = (state: TranslatorState, frame: Shape, emit: Emit) => void

/** `system`: reports of Claude Code about itself. A subtype that is not listed here becomes a notice. */
export function systemFrame(state: TranslatorState, frame: Shape, emit: Emit): void {
  const subtype = nameOf(frame['subtype'])
  const translate = subtype === undefined ? undefined : subtypes.get(subtype)
  if (translate) translate(state, frame, emit)
  else emit(notice(kindOfFrame(frame), frame))
}

const subtypes = new Map<string, SystemFrame>([
  ['init', init],
  ['status', status],
  ['api_retry', apiRetry],
  ['compact_boundary', compactBoundary],
  ['permission_denied', permissionDenied],
  ['hook_started', hook('started')],
  ['hook_progress', hook('progress')],
  ['hook_response', hook('ended')],
  ['task_started', taskFrame('started')],
  ['task_progress', taskFrame('progress')],
  ['task_updated', taskFrame('updated')],
  ['task_notification', taskFrame('ended')],
  ['informational', informational],
  ['notification', notification],
  ['local_command_output', (_state, frame, emit) => sentence(frame, 'info', frame['content'], emit)],
  ['mirror_error', (_state, frame, emit) => sentence(frame, 'error', frame['error'], emit)],
  ['session_writes_lost', writesLost],
  ['model_fallback', modelFallback],
  ['model_refusal_fallback', modelFallback],
  ['model_refusal_no_fallback', modelRefusal],
  ['thinking_tokens', thinkingTokens],
])

/** `init` comes at the start of every turn. It ends an earlier turn that had no result. */
function init(state: TranslatorState, frame: Shape, emit: Emit): void {
  const running = new Set(state.tasks.values())
  clearTurn(state.turn, parent => running.has(parent))
  state.sawInit = true
  state.apiError = null
  state.refused = false
  state.blockedBy = null
  const model = nameOf(frame['model'])
  const permissionMode = nameOf(frame['permissionMode'])
  const apiKeySource = nameOf(frame['apiKeySource'])
  const claudeVersion = nameOf(frame['claude_code_version'])
  emit({
    type: 'session_init',
    claudeSessionId: state.claudeSessionId ?? '',
    ...(model !== undefined && { model }),
    tools: stringsOf(frame['tools']),
    ...(permissionMode !== undefined && { permissionMode }),
    ...(apiKeySource !== undefined && { apiKeySource }),
    ...(claudeVersion !== undefined && { claudeVersion }),
    mcpServers: [...listOf(frame['mcp_servers'])],
  })
}

function status(_state: TranslatorState, frame: Shape, emit: Emit): void {
  const permissionMode = nameOf(frame['permissionMode'])
  emit({
    type: 'status',
    status: stringOf(frame['status']) ?? null,
    ...(permissionMode !== undefined && { permissionMode }),
  })
  // The `status` event has no field for the outcome of a compaction.
  if (frame['compact_result'] !== undefined || frame['compact_error'] !== undefined)
    emit(notice(kindOfFrame(frame), frame))
}

function apiRetry(state: TranslatorState, frame: Shape, emit: Emit): void {
  const error = stringOf(frame['error']) ?? 'unknown'
  const httpStatus = countOf(frame['error_status']) ?? null
  state.apiError = { error, type: null, status: httpStatus }
  emit({
    type: 'api_retry',
    attempt: countOf(frame['attempt']) ?? 0,
    maxRetries: countOf(frame['max_retries']) ?? 0,
    delayMs: msOf(frame['retry_delay_ms']) ?? 0,
    status: httpStatus,
    error: redact(error),
  })
}

/** The metadata is in snake case in the stream, and in camel case in transcripts and some versions. */
function compactBoundary(_state: TranslatorState, frame: Shape, emit: Emit): void {
  const about = shapeOf(frame['compact_metadata']) ?? shapeOf(frame['compactMetadata']) ?? {}
  const preTokens = countOf(about['pre_tokens'] ?? about['preTokens'])
  const postTokens = countOf(about['post_tokens'] ?? about['postTokens'])
  const durationMs = msOf(about['duration_ms'] ?? about['durationMs'])
  emit({
    type: 'compaction',
    trigger: nameOf(about['trigger']) ?? 'unknown',
    ...(preTokens !== undefined && { preTokens }),
    ...(postTokens !== undefined && { postTokens }),
    ...(durationMs !== undefined && { durationMs }),
  })
}

function permissionDenied(_state: TranslatorState, frame: Shape, emit: Emit): void {
  emit({
    type: 'permission_denied',
    tool: stringOf(frame['tool_name']) ?? '',
    toolUseId: stringOf(frame['tool_use_id']) ?? '',
    message: stringOf(frame['message']) ?? '',
  })
}

function hook(phase: 'started' | 'progress' | 'ended'): SystemFrame {
  return (_state, frame, emit) => {
    const outcome = nameOf(frame['outcome'])
    const output = nameOf(frame['output']) ?? nameOf(frame['stdout']) ?? nameOf(frame['stderr'])
    emit({
      type: 'hook',
      phase,
      name: stringOf(frame['hook_name']) ?? '',
      event: stringOf(frame['hook_event']) ?? '',
      ...(outcome !== undefined && { outcome }),
      ...(output !== undefined && { output }),
    })
  }
}

/** A status line. If it ends the turn before the first request, a hook has refused the prompt. */
function informational(state: TranslatorState, frame: Shape, emit: Emit): void {
  const outcome = shapeOf(frame['prompt_submit_outcome'])
  if (outcome ? outcome['kind'] === 'blocked_by_hook' : frame['prevent_continuation'] === true)
    state.blockedBy = nameOf(outcome?.['reason']) ?? stringOf(frame['content']) ?? ''
  sentence(frame, frame['level'] === 'warning' ? 'warning' : 'info', frame['content'], emit)
}

function notification(_state: TranslatorState, frame: Shape, emit: Emit): void {
  const isUrgent = frame['priority'] === 'high' || frame['priority'] === 'immediate'
  sentence(frame, isUrgent ? 'warning' : 'info', frame['text'], emit)
}

function writesLost(_state: TranslatorState, frame: Shape, emit: Emit): void {
  const reason = frame['error_code'] === 'EDQUOT' ? 'the disk quota is used up' : 'the disk is full'
  const lost = new Set(stringsOf(frame['lost']))
  const what = [
    ...(lost.has('transcript') ? ['a part of the conversation'] : []),
    ...(lost.has('global_config') ? ['changes of its configuration'] : []),
  ]
  sentence(frame, 'error', `Claude Code could not save ${what.join(' and ') || 'what it wrote'}: ${reason}`, emit)
}

/** Another model answers. The answer it replaces is withdrawn. */
function modelFallback(state: TranslatorState, frame: Shape, emit: Emit): void {
  supersede(state.turn, stringsOf(frame['retracted_message_uuids']), emit)
  const to = nameOf(frame['fallback_model'])
  const from = nameOf(frame['original_model'])
  const text = nameOf(frame['content']) ?? `${to ?? 'Another model'} answers instead of ${from ?? 'the model'}`
  // `local`: applies to one answer of a sub-agent only.
  sentence(frame, 'warning', text, emit, frame['scope'] === 'local' ? undefined : to)
}

/** The model refused, and no other model is asked. */
function modelRefusal(state: TranslatorState, frame: Shape, emit: Emit): void {
  state.refused = true
  supersede(state.turn, stringsOf(frame['retracted_message_uuids']), emit)
  const explanation = nameOf(frame['api_refusal_explanation'])
  const text = `${nameOf(frame['original_model']) ?? 'The model'} refused to answer${explanation ? `: ${explanation}` : ''}`
  sentence(frame, 'warning', nameOf(frame['content']) ?? text, emit)
}

const thinkingStep = 100

/** Progress of thinking. A block with streamed text emits no event, because the text shows the progress better. */
function thinkingTokens({ turn }: TranslatorState, frame: Shape, emit: Emit): void {
  const tokens = countOf(frame['estimated_tokens'])
  if (tokens === undefined) return emit(notice(kindOfFrame(frame), frame))
  const current = turn.main.message?.current
  if (current?.kind === 'thinking' && current.text !== '') return
  const before = tokens - (countOf(frame['estimated_tokens_delta']) ?? tokens)
  if (Math.floor(before / thinkingStep) === Math.floor(tokens / thinkingStep)) return
  emit({ type: 'thinking_progress', estimatedTokens: tokens })
}

type Level = Extract<EventBody, { type: 'system_message' }>['level']

/** Emits a message for people. A frame without a text becomes a notice. */
function sentence(frame: Shape, level: Level, text: unknown, emit: Emit, model?: string): void {
  const said = nameOf(text)
  if (said === undefined) return emit(notice(kindOfFrame(frame), frame))
  const kind = nameOf(frame['subtype']) ?? ''
  emit({ type: 'system_message', level, text: said, kind, ...(model !== undefined && { model }) })
}
