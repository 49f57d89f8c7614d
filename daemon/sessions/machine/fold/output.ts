import type { EventBody } from '../../../../protocol/index.ts'
import type { AgentCodec, Decoded, Outcome, OutputLine, Signal, Turn } from '../../../agents/agent.ts'
import { sumOfTokens } from '../../../usage/tokens.ts'
import { limits } from '../../../../protocol/limits.ts'
import { used } from './last-use.ts'
import { hear } from './last-heard.ts'
import { advance, createBackgroundRun, type LiveRun } from './live-run.ts'
import { ask, forgetAnswered, takeBack } from './questions.ts'
import { rulesRequest } from './request-ids.ts'
import { endRun, releaseHeld } from './runs.ts'
import type { Sink, Source } from './sink.ts'
import { currentRun, idOf, type ProcessState, type SessionRecord, type SessionState } from './state.ts'

/** An exception during the application of a line. The changes that the line made must be discarded. */
export class LineFault extends Error {
  override readonly name = 'LineFault'
  readonly line: OutputLine
  constructor(line: OutputLine, cause: unknown) {
    super(`a line could not be applied: ${String(cause)}`, { cause })
    this.line = line
  }
}

/**
 * Applies one line of the process. All frames with the same offset must be applied before anything else. Throws only
 * `LineFault`.
 */
export function applyLine(agent: AgentCodec, s: SessionState, line: OutputLine, sink: Sink): void {
  try {
    applyOne(agent, s, line, sink)
  } catch (error) {
    throw new LineFault(line, error)
  }
}

function applyOne(agent: AgentCodec, s: SessionState, line: OutputLine, sink: Sink): void {
  const { process } = s
  if (!process) return
  const source: Source = { process: process.id, offset: line.offset }
  process.offset = line.offset
  if ('damaged' in line) {
    process.spoke = true
    sink.event({ type: 'log_damaged', log: 'raw', ...line.damaged }, idOf(currentRun(s)), line.time, source)
    return
  }
  process.lastLineAt = line.time
  const decoded = 'unparsed' in line ? line : agent.decode(process.decoder, line.frame, line.time)
  if ('unparsed' in decoded) {
    process.spoke = true
    sink.event({ type: 'unparsed', ...decoded.unparsed }, idOf(currentRun(s)), line.time, source)
    return
  }
  applyDecoded({ agent, s, process, time: line.time, sink, source }, decoded)
}

/** The line that is being applied, with its context. */
interface At {
  agent: AgentCodec
  s: SessionState
  process: ProcessState
  time: number
  sink: Sink
  source: Source
}

function applyDecoded(at: At, { turn, signals, events, outcome, spare, promptEnd }: Decoded): void {
  const { s, process, time, sink, source } = at
  if (turn?.at === 'ended') process.kept = true
  if (turn?.at === 'started') turnStarted(at, turn)
  for (const signal of signals) applySignal(at, signal)
  const ending = turn?.at === 'ended' ? runsOf(s, process, turn) : []
  const run = turn?.at === 'ended' ? (ending[0] ?? null) : currentRun(s)
  for (const body of events) {
    note(at, body)
    observe(s, body, run)
    sink.event(body, idOf(run), time, source)
  }
  if (outcome) {
    note(at, outcome)
    turnEnded(at, outcome, spare, ending)
  }
  if (promptEnd) promptEnded(at, promptEnd)
}

function note({ s, process, sink }: At, body: EventBody): void {
  process.spoke = true
  hear(process.heard, body)
  if (body.type === 'tool_use' || body.type === 'tool_progress' || body.type === 'tool_result')
    sink.facts.toolBoundary = true
  if (body.type === 'tool_result') forgetAnswered(s, body.toolUseId)
}

function applySignal({ s, process, time, sink, source }: At, signal: Signal): void {
  switch (signal.signal) {
    case 'asked':
      return ask(s, signal.question, time, sink, source)
    case 'withdrawn':
      process.replies = process.replies.filter(({ requestId }) => requestId !== signal.requestId)
      return takeBack(s, signal.requestId, time, sink, source)
    case 'reply': {
      const { requestId, lineId, line } = signal
      const others = process.replies.filter(each => each.requestId !== requestId)
      process.replies = [...others, { requestId, lineId, line }].slice(-limits.maxOpenApprovals)
      return
    }
    case 'answered':
      if (signal.requestId.startsWith(rulesRequest)) process.wasGivenRules = true
      sink.facts.answers.push(signal)
      return
    case 'background':
      process.tasks = signal.tasks
      return
    case 'cause':
      process.cause = signal.kind
      return
    case 'arrived':
      if (s.active?.stored.promptUuid === signal.prompt) s.active.hasArrived = true
      return
    default:
      signal satisfies never
  }
}

/** A turn that names no prompt is the agent's own if the agent names prompts in general, or if no run is active. */
function turnStarted({ agent, s, process, time, sink, source }: At, turn: Turn): void {
  process.begunAt ??= time
  if (turn.promptUuids.length > 0) process.namesPrompts = true
  const { active } = s
  if (active?.stored.promptUuid && turn.promptUuids.includes(active.stored.promptUuid)) active.hasTurn = true
  const own = turn.background !== null || (turn.promptUuids.length === 0 && (process.namesPrompts || !active))
  if (!own && active) active.hasBegun = true
  if (!own || s.background) return
  releaseHeld(agent, s, false, time, sink, source)
  const origin = { background: turn.background ?? { kind: process.cause ?? 'unknown' } }
  const run = createBackgroundRun(s.session.session, origin, s.head + 1, source)
  advance(run, 'started', time)
  s.background = run
  s.closed = false
  sink.event({ type: 'run_started', prompt: '', origin }, idOf(run), time, source)
  s.session = { ...used(s.session, time), lastRun: run.stored.run.run }
}

/**
 * Returns the runs that a result ends. A result that names prompts or is of the agent's own turn ends the background
 * run and the run whose prompt it names: both if the prompt came during the agent's own turn and joined it. A result
 * that names nothing ends the current run.
 */
function runsOf({ active, background }: SessionState, process: ProcessState, turn: Turn): LiveRun[] {
  const uuid = active?.stored.promptUuid
  const named = uuid && turn.promptUuids.includes(uuid) ? [active] : []
  if (turn.background || turn.promptUuids.length > 0) return [...(background ? [background] : []), ...named]
  // If the agent names prompts, a result without a name does not belong to a prompt whose turn has not begun.
  const whose = background ?? (process.namesPrompts && !active?.hasTurn ? null : active)
  return whose ? [whose] : []
}

function turnEnded(at: At, outcome: Outcome, spare: EventBody | undefined, runs: readonly LiveRun[]): void {
  const { s, time, sink, source } = at
  // The outcome ends no run: the agent printed two, or the run has ended for another reason.
  if (runs.length === 0 || runs.some(run => run.held)) {
    if (spare) sink.event(spare, idOf(runs[0] ?? null), time, source)
    return
  }
  for (const run of runs) endByOutcome(at, run, outcome, holdsOutcome(s, run))
}

/** Whether the outcome waits for the end of the process, which is one-shot and has no background work. */
const holdsOutcome = ({ active, process }: SessionState, run: LiveRun): boolean =>
  process !== null &&
  process.oneShot &&
  run === active &&
  run.stored.run.state === 'running' &&
  process.tasks.length === 0

function endByOutcome({ agent, s, time, sink, source }: At, run: LiveRun, outcome: Outcome, holds: boolean): void {
  if (holds) run.held = outcome
  else endRun(agent, s, run, outcome.type === 'done' ? 'turn_done' : 'turn_failed', time, sink, { outcome }, source)
}

/**
 * Ends the active run if the agent has ended its prompt without a result: other text may have destroyed the frame of
 * the result. Does nothing if the result is already held, or may still follow because background work continues.
 */
function promptEnded(at: At, end: NonNullable<Decoded['promptEnd']>): void {
  const { agent, s, process, time } = at
  const run = s.active
  if (!run || run.held || run.stored.promptUuid !== end.prompt) return
  if (s.background || process.tasks.length > 0) return
  const said = agent.said(process.decoder)
  const durationMs = Math.max(0, time - (run.stored.run.startedAt ?? time))
  const outcome: Outcome = end.completed
    ? { type: 'done', ...said, numTurns: 0, durationMs }
    : { type: 'failed', failure: agent.endedWithoutResult, ...said }
  endByOutcome(at, run, outcome, false)
}

/** Updates the records of the session and of the run from an event. */
function observe(s: SessionState, body: EventBody, run: LiveRun | null): void {
  if (body.type === 'claude_session_changed') learn(s, { conversationId: body.to })
  if (body.type === 'session_init') {
    const { claudeSessionId: conversationId, model, permissionMode } = body
    learn(s, {
      conversationId,
      ...(model !== undefined && { model }),
      ...(permissionMode !== undefined && { permissionMode }),
    })
  }
  if (body.type === 'system_message' && body.model !== undefined) learn(s, { model: body.model })
  if (body.type === 'status' && body.permissionMode !== undefined) learn(s, { permissionMode: body.permissionMode })
  if (body.type !== 'cost') return
  s.session = { ...s.session, costUsd: body.costUsd }
  if (!run) return
  // A run has more than one `cost` if a second result came while the first was held.
  run.costUsd += body.runCostUsd
  run.tokens = sumOfTokens(run.tokens, body.tokens)
}

/** Replaces the record only if a value is new, because each new record is published. */
function learn(s: SessionState, heard: Pick<Partial<SessionRecord>, 'conversationId' | 'model' | 'permissionMode'>) {
  const isNew = Object.entries(heard).some(([name, value]) => s.session[name as keyof typeof heard] !== value)
  if (isNew) s.session = { ...s.session, ...heard }
}
