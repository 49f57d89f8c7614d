import { msOf, nameOf, numberOf, type Shape, shapeOf } from '../frame/shape.ts'
import { kindOfFrame, notice } from './notice.ts'
import type { TranslatorState } from './state.ts'
import type { Emit } from './turn-state.ts'

/**
 * Mostly information (`allowed`). The state is kept, because a rejection distinguishes a used-up plan from a busy API.
 */
export function rateLimit(state: TranslatorState, frame: Shape, emit: Emit): void {
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
