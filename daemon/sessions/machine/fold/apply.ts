import type { AgentCodec, OutputLine } from '../../../agents/agent.ts'
import { isHarder } from './end-request.ts'
import type { StoredAct } from './act.ts'
import { applyCancel, applyEscalated, applyLimit } from './cancellation.ts'
import { changed, changesInEvent } from './changes.ts'
import { used } from './last-use.ts'
import { applyLine } from './output.ts'
import { beginProcess, endProcess } from './process-record.ts'
import { resolve } from './questions.ts'
import { applyMoved, applyQueued, applyStarted } from './queue.ts'
import { applyFault, endRun, takeRun } from './runs.ts'
import { type Emitted, noFacts, type Sink, sinkOf } from './sink.ts'
import { goingRun, type SessionState } from './state.ts'

/**
 * Applies an act. Only this function and `applyLine` change the durable state. Recovery runs the same code, so nothing
 * here may read a clock, the configuration or the volatile state.
 */
export function applyAct(agent: AgentCodec, s: SessionState, act: StoredAct, sink: Sink): void {
  const { time } = act
  s.acts = act.n
  switch (act.act) {
    case 'opened':
      sink.event(act.event, null, time)
      return
    case 'queued':
      return applyQueued(s, act, time, sink)
    case 'moved':
      return applyMoved(s, act, time, sink)
    case 'started':
      return applyStarted(s, act.run, time, sink)
    case 'cancel':
      return applyCancel(agent, s, act, time, sink)
    case 'limit':
      return applyLimit(agent, s, act, time, sink)
    case 'escalated':
      return applyEscalated(s, act, time, sink)
    case 'resolved':
      return applyResolved(agent, s, act, sink)
    case 'updated': {
      const { by, changes } = act
      sink.event({ type: 'session_updated', by, changes: changesInEvent(changes) }, null, time)
      s.session = used(changed(s.session, changes), time)
      return
    }
    case 'used':
      s.session = used(s.session, time)
      return
    case 'closed':
      s.session = used(s.session, time)
      s.closed = true
      return
    case 'process_begun':
      return beginProcess(agent, s, act)
    case 'process_ended':
      return endProcess(agent, s, act, time, sink)
    case 'process_unstarted':
      s.process = null
      s.answered = []
      return
    case 'left':
      return applyLeft(s, act)
    case 'ended':
      return applyEnded(agent, s, act, sink)
    case 'damaged':
      sink.event({ type: 'log_damaged', log: 'raw', bytes: act.bytes, detail: act.detail }, null, time)
      return
    case 'faulted':
      return applyFault(agent, s, act, time, sink)
    default:
      act satisfies never
  }
}

type ActOf<Name extends StoredAct['act']> = Extract<StoredAct, { act: Name }>

/** Resolves a question. A client's deny with `interrupt` also cancels the run. */
function applyResolved(agent: AgentCodec, s: SessionState, act: ActOf<'resolved'>, sink: Sink): void {
  const { approval, resolution, time } = act
  const asked = s.open.find(each => each.approval.approval === approval)
  if (!asked) return
  const { by, answer, message } = resolution
  const isClients = by !== undefined && 'client' in by
  if (isClients) s.session = used(s.session, time)
  resolve(s, approval, resolution, time, sink)
  const run = goingRun(s, asked.approval.run)
  if (!run || !isClients || answer?.behavior !== 'deny' || !answer.interrupt) return
  if (run.cancel && !isHarder('interrupt', run.cancel.mode)) return
  const reason = message === undefined ? {} : { reason: message }
  applyCancel(agent, s, { run: run.stored.run.run, by, mode: 'interrupt', ...reason }, time, sink)
}

function applyLeft(s: SessionState, { left }: ActOf<'left'>): void {
  const { left: _, ...session } = s.session
  s.session = left ? { ...session, left } : session
}

function applyEnded(agent: AgentCodec, s: SessionState, act: ActOf<'ended'>, sink: Sink): void {
  const run = takeRun(s, act.run)
  if (!run) return
  const { time } = act
  switch (act.cause) {
    case 'refused':
      return endRun(agent, s, run, 'refused', time, sink, { failure: act.failure })
    case 'lost':
      return endRun(agent, s, run, 'lost', time, sink, { lost: act.reason })
    case 'unsent':
      return endRun(agent, s, run, 'process_ended', time, sink, { unsent: true })
    default:
      act satisfies never
  }
}

/** Does the same as `foldInto`, and returns the events. */
export function fold(
  agent: AgentCodec,
  s: SessionState,
  acts: Iterable<StoredAct>,
  lines: Iterable<OutputLine>,
  offset: number = 0,
): Emitted[] {
  const facts = noFacts()
  foldInto(sinkOf(s, facts), agent, s, acts, lines, offset)
  return facts.events
}

/**
 * Brings a state from an earlier point to a later one: applies acts and lines in the order in which they happened, up
 * to the stored `offset` of the process, and hands their events to `sink`.
 */
export function foldInto(
  sink: Sink,
  agent: AgentCodec,
  s: SessionState,
  acts: Iterable<StoredAct>,
  lines: Iterable<OutputLine>,
  offset: number,
): void {
  const output = lines[Symbol.iterator]()
  let line = output.next()
  const readTo = (end: number) => {
    for (; !line.done && line.value.offset <= end; line = output.next()) applyLine(agent, s, line.value, sink)
    if (s.process) s.process.offset = Math.max(s.process.offset, end)
  }
  for (const act of acts) {
    if (act.at && act.at.process === s.process?.id) readTo(act.at.offset)
    applyAct(agent, s, act, sink)
  }
  for (; !line.done; line = output.next()) applyLine(agent, s, line.value, sink)
  if (s.process) s.process.offset = Math.max(s.process.offset, offset)
}
