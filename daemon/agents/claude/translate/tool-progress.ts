import { msOf, nameOf, type Shape, stringOf } from '../frame/shape.ts'
import type { TranslatorState } from './state.ts'
import { callerOf, type Emit } from './turn-state.ts'

/**
 * A heartbeat of tool X names `X-heartbeat-N` as the tool and X as its parent. It belongs to the lane that called X.
 */
export function toolProgress({ turn }: TranslatorState, frame: Shape, emit: Emit): void {
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
