import type { AgentCodec, Outcome, Said } from '../../../agents/agent.ts'
import type { Failure } from '../../../../protocol/index.ts'
import { used } from './last-use.ts'
import { isEnded, type RunInput } from './run-state.ts'
import { endOf } from './end-request.ts'
import { advance, type LiveRun, resumeRun, sealRun, type StoredRun, terminalEvent } from './live-run.ts'
import { withdrawAll, withdrawQuestions } from './questions.ts'
import type { Sink, Source } from './sink.ts'
import { currentRun, goingRun, idOf, queuedRunOf, type SessionState } from './state.ts'

/** The part of the fold that ends runs. `run-state.ts` has the table of their states. */

export interface EndFacts {
  outcome?: Outcome
  failure?: Failure
  /** Why it is `interrupted`. */
  lost?: string
  /** Its prompt was never sent, so nothing had to be ended. */
  unsent?: boolean
}

/** Moves a run by `input`, and ends it if that leads to an end. */
export function endRun(
  agent: AgentCodec,
  s: SessionState,
  run: LiveRun,
  input: RunInput,
  time: number,
  sink: Sink,
  facts: EndFacts = {},
  source?: Source,
): void {
  const said = run === currentRun(s) && s.process ? () => agent.said(s.process!.decoder) : nothingSaid
  if (!advance(run, input, time)) return
  const { state } = run.stored.run
  // An answer to these questions would come too late.
  withdrawQuestions(s, run, isEnded(state), time, sink, source)
  if (!isEnded(state)) return
  const ended = endOf(run, input, facts.unsent ?? false)
  // The limit counts as the reason whatever else was reported, except for a failure of muxd itself (a full disk).
  const limited = run.exceeded && input !== 'refused' && { failure: limitFailure(agent, run) }
  const event = terminalEvent(run, state, { ...facts, ...limited, said: facts.outcome ?? said(), ended })
  run.stored = sealRun(run, event, sink.event(event, idOf(run), time, source))
  sink.facts.ended.push(run.stored)
  // The background turn ended without a result. The active run must not report its text as well.
  if (run === s.background && s.active && s.process && !facts.outcome) agent.forgetTurn(s.process.decoder)
  if (s.active === run) s.active = null
  if (s.background === run) s.background = null
  if (s.process) s.process.replies = []
  s.answered = s.answered.filter(({ run: id }) => id === null || goingRun(s, id))
  s.session = used(s.session, time)
  forgetFault(s, run.stored)
}

/** Returns a run so that it can be ended. Removes it from the queue if it is queued. */
export function takeRun(s: SessionState, id: string): LiveRun | undefined {
  const queued = queuedRunOf(s, id)
  if (!queued) return goingRun(s, id)
  s.queue = s.queue.filter(each => each !== queued)
  return resumeRun(queued)
}

/** Ends a run whose outcome was held back until its process ended. */
export function releaseHeld(
  agent: AgentCodec,
  s: SessionState,
  forcedExit: boolean,
  time: number,
  sink: Sink,
  source?: Source,
): void {
  const run = s.active
  if (!run?.held) return
  const { held } = run
  delete run.held
  const outcome = forcedExit && held.type === 'done' ? { ...held, forcedExit } : held
  endRun(agent, s, run, held.type === 'done' ? 'turn_done' : 'turn_failed', time, sink, { outcome }, source)
}

/**
 * Applies an exception in muxd's own code. The state of the process is unreliable after it, so the runs of the process
 * fail. The session becomes unusable if the exception would recur: if it is the second one without a finished run in
 * between, or occurred during restoration.
 */
export function applyFault(
  agent: AgentCodec,
  s: SessionState,
  fault: { reason: string; bytes: number; offset?: number; whileRestoring: boolean },
  time: number,
  sink: Sink,
): void {
  const { reason, bytes, offset } = fault
  const runs = [s.background, s.active]
    .filter(run => run !== null)
    .toSorted((one, other) => one.stored.run.firstSeq - other.stored.run.firstSeq)
  const place = offset === undefined ? '' : `, up to byte ${offset}`
  const detail = `muxd failed to process ${bytes} bytes of the process's output${place}, and ended the process: ${reason}`
  sink.event({ type: 'log_damaged', log: 'raw', bytes, detail }, idOf(runs[0] ?? null), time)
  forgetUnreadable(agent, s)
  const isRepeated = s.session.fault !== undefined || fault.whileRestoring
  const failure = agent.failure('internal', reason)
  for (const run of runs) endRun(agent, s, run, 'refused', time, sink, { failure })
  withdrawAll(s, time, sink)
  if (isRepeated)
    for (const { run } of s.queue) endRun(agent, s, takeRun(s, run.run)!, 'refused', time, sink, { failure })
  s.session = { ...s.session, [isRepeated ? 'unusable' : 'fault']: { reason, at: time } }
  s.process = null
  s.answered = []
}

/** Discards the turn's text if the exception has left the decoder in a state that cannot be read. */
function forgetUnreadable(agent: AgentCodec, { process }: SessionState): void {
  if (!process) return
  try {
    agent.said(process.decoder)
  } catch {
    agent.forgetTurn(process.decoder)
  }
}

/** Clears the fault after a run that is done, or that failed for a reason other than `internal`: the session works. */
function forgetFault(s: SessionState, { run }: StoredRun): void {
  const isFinished = run.state === 'done' || (run.state === 'failed' && run.result?.failure?.code !== 'internal')
  if (!isFinished || !s.session.fault) return
  const { fault: _, ...session } = s.session
  s.session = session
}

const limitFailure = (agent: AgentCodec, { exceeded }: LiveRun): Failure => {
  const { limit, value } = exceeded!
  return agent.failure(limit === 'timeoutMs' ? 'timed_out' : 'inactive', `${limit} is ${value}`)
}

const nothingSaid = (): Said => ({ response: '', transcript: [] })
