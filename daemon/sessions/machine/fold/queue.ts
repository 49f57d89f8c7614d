import type { Actor, RunLimits } from '../../../../protocol/index.ts'
import { withFirstPrompt } from './first-prompt.ts'
import { used } from './last-use.ts'
import { advance, queuedRun, resumeRun } from './live-run.ts'
import type { Sink } from './sink.ts'
import { idOf, queuedRunOf, type SessionState } from './state.ts'

/** The part of the fold that changes the queue. */

export function applyQueued(
  s: SessionState,
  queued: { run: string; promptUuid: string; prompt: string; limits?: RunLimits; by: Actor },
  time: number,
  sink: Sink,
): void {
  const { run: id, promptUuid, prompt, limits, by } = queued
  const run = queuedRun(id, s.session.session, prompt, by, s.head + 1)
  sink.event({ type: 'run_queued', prompt, origin: by }, id, time)
  s.queue = [...s.queue, { run: { ...run, ...(limits && { limits }) }, promptUuid }]
  s.session = { ...used(withFirstPrompt(s.session, prompt), time), lastRun: id }
  s.closed = false
}

/** `to` is the new position. A position behind the end means the last one. */
export function applyMoved(
  s: SessionState,
  { run: id, to, by }: { run: string; to: number; by: Actor },
  time: number,
  sink: Sink,
): void {
  const run = queuedRunOf(s, id)
  if (!run) return
  s.queue = s.queue.filter(each => each !== run).toSpliced(to, 0, run)
  sink.event({ type: 'run_moved', by, to }, id, time)
  s.session = used(s.session, time)
}

export function applyStarted(s: SessionState, id: string, time: number, sink: Sink): void {
  const stored = queuedRunOf(s, id)
  if (!stored || s.active) return
  s.queue = s.queue.filter(each => each !== stored)
  const run = resumeRun(stored)
  advance(run, 'started', time)
  s.active = run
  s.session = used(s.session, time)
  const { prompt, origin } = stored.run
  sink.event({ type: 'run_started', prompt, origin }, idOf(run), time)
}
