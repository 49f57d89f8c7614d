import type { Actor, CancelMode, CancelStep } from '../../../../protocol/index.ts'
import type { AgentCodec } from '../../../agents/agent.ts'
import { escalateTo, isHarder, limitReached, type ReachedLimit, requestEnd } from './end-request.ts'
import { endRun, takeRun } from './runs.ts'
import type { Sink } from './sink.ts'
import { goingRun, type SessionState } from './state.ts'

/** The part of the fold for cancels: the request, the limit that was hit, and the escalation. */

export function applyCancel(
  agent: AgentCodec,
  s: SessionState,
  { run: id, by, mode, reason }: { run: string; by: Actor; mode: CancelMode; reason?: string },
  time: number,
  sink: Sink,
): void {
  const run = takeRun(s, id)
  if (!run) return
  sink.event({ type: 'cancel_requested', by, ...(reason !== undefined && { reason }), mode }, id, time)
  requestEnd(run, { by, reason, mode })
  endRun(agent, s, run, 'cancel_requested', time, sink)
}

export function applyLimit(
  agent: AgentCodec,
  s: SessionState,
  { run: id, reached }: { run: string; reached: ReachedLimit },
  time: number,
  sink: Sink,
): void {
  const run = goingRun(s, id)
  if (!run) return
  sink.event({ type: 'limit_reached', ...reached }, id, time)
  limitReached(run, reached)
  endRun(agent, s, run, 'limit_reached', time, sink)
}

export function applyEscalated(
  s: SessionState,
  { run: id, step }: { run: string; step: CancelStep },
  time: number,
  sink: Sink,
): void {
  const run = goingRun(s, id)
  if (!run || !isHarder(step, run.pursued)) return
  sink.event({ type: 'cancel_escalated', step }, id, time)
  escalateTo(run, step)
}
