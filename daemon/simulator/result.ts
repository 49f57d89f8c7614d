import { print, stamped, totalCost } from './session.ts'
import type { Turn } from './turn.ts'
import { modelUsage, noTokens, resultUsage } from './usage.ts'

/**
 * Prints the last frame of a turn. Its fields tell success, API failure (`success` with `is_error`), limit and abort
 * apart.
 */
export function showResult(turn: Turn, ending: object): void {
  const { session } = turn
  const frame = {
    duration_api_ms: session.apiMs,
    stop_reason: turn.stopReason,
    total_cost_usd: totalCost(session),
    // The tokens of a message that was broken off are in `modelUsage` only.
    usage: resultUsage(turn.tokens),
    modelUsage: modelUsage(session.models),
    permission_denials: turn.denials,
    fast_mode_state: 'off',
    fast_mode_disabled_reason: 'sdk_opt_in_required',
    ...(turn.task && { origin: { kind: 'task-notification', producer: 'session-task', runId: turn.task.runId } }),
    subagent_stats: agentStats(turn),
    safety_stops: turn.safetyStops,
    num_turns: 1 + turn.userFrames,
    ...ending,
    type: 'result',
    duration_ms: Date.now() - turn.startedAt,
    ...(turn.uuids.length > 0 && { user_message_uuid: turn.uuids[0], user_message_uuids: turn.uuids }),
    queued_turn_count: 0,
    result_index: session.results++,
    model_usage_since_last_result: modelUsage(session.recent),
  }
  session.recent = new Map()
  print(session, stamped(session, frame))
}

/** The ending of a turn that succeeds. */
export function successEnding(turn: Turn): object {
  const timings =
    turn.firstTokenMs === undefined
      ? {}
      : {
          ttft_ms: turn.firstTokenMs,
          ttft_stream_ms: turn.firstTokenMs,
          time_to_request_ms: 1,
          first_content_frame_ms: turn.firstTokenMs,
        }
  return {
    terminal_reason: 'completed',
    is_error: false,
    subtype: 'success',
    api_error_status: null,
    result: turn.text,
    ...timings,
  }
}

export const errorEnding = (subtype: string, terminalReason: string, errors: string[]): object => ({
  terminal_reason: terminalReason,
  is_error: true,
  subtype,
  errors,
})

/** The only frame of a process that was asked to resume a session that does not exist. */
export const unknownSessionResult = (sessionId: string, uuid: string, problem: string): object => ({
  type: 'result',
  subtype: 'error_during_execution',
  duration_ms: 0,
  duration_api_ms: 0,
  is_error: true,
  num_turns: 0,
  stop_reason: null,
  session_id: sessionId,
  total_cost_usd: 0,
  usage: resultUsage(noTokens()),
  modelUsage: {},
  permission_denials: [],
  uuid,
  errors: [problem],
  result_index: 0,
})

function agentStats({ session: { agents } }: Turn): object {
  return {
    spawned: agents.spawned,
    requested: { background: 0, foreground: agents.spawned, unset: 0 },
    started_in_background: 0,
    max_depth: agents.spawned > 0 ? 1 : 0,
    spawned_by_subagents: 0,
    completed: agents.completed,
    failed: 0,
    killed: { parent: 0, user: 0, system: 0 },
    refused: { depth_limit: 0, concurrency_limit: 0, budget: 0 },
    by_type: agents.byType,
  }
}
