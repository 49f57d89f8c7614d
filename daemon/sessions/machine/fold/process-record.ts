import { limits } from '../../../../protocol/limits.ts'
import type { AgentCodec } from '../../../agents/agent.ts'
import type { StoredAct } from './act.ts'
import type { LiveRun } from './live-run.ts'
import { withdrawAll } from './questions.ts'
import { endRun, releaseHeld } from './runs.ts'
import type { Sink } from './sink.ts'
import type { SessionState } from './state.ts'

/** The part of the fold for the start and the end of a process. */

export function beginProcess(
  agent: AgentCodec,
  s: SessionState,
  { process, nonce, run, limits: runLimits, launch, oneShot }: Extract<StoredAct, { act: 'process_begun' }>,
): void {
  s.process = {
    id: process,
    nonce,
    run,
    ...(runLimits && { limits: runLimits }),
    launch,
    oneShot,
    offset: 0,
    decoder: agent.begin(launch),
    spoke: false,
    tasks: [],
    cause: undefined,
    begunAt: undefined,
    lastLineAt: undefined,
    // False for a fork, whose own transcript has yet to be written.
    kept: launch.claudeSessionId !== null,
    namesPrompts: false,
    wasGivenRules: false,
    replies: [],
    heard: { running: new Map(), type: 'run_started' },
  }
  s.open = []
  s.known = new Set()
  s.answered = []
}

/** Ends the process and its runs, except a run whose prompt it did not read. */
export function endProcess(
  agent: AgentCodec,
  s: SessionState,
  { status, stderrTail, forced, lost, exitKnown }: Extract<StoredAct, { act: 'process_ended' }>,
  time: number,
  sink: Sink,
): void {
  const { process } = s
  if (!process) return
  releaseHeld(agent, s, forced, time, sink)
  const { spoke: sawOutput, launch } = process
  const exit = { status, sawOutput, resumed: launch.resumed, stderrTail }
  const failure = agent.exitFailure(process.decoder, exit)
  for (const run of [s.background, s.active]) {
    if (!run) continue
    if (lost !== undefined) endRun(agent, s, run, 'lost', time, sink, { lost })
    else if (run !== s.active || !isUndelivered(s, run)) endRun(agent, s, run, 'process_ended', time, sink, { failure })
  }
  withdrawAll(s, time, sink)
  const { tasks } = process
  if (tasks.length > 0) {
    const named = tasks.slice(0, limits.maxLostTasks)
    sink.event({ type: 'background_lost', tasks: named, more: tasks.length - named.length }, null, time)
  }
  // Without an exit record the time of the end is unknown, so the time of the last line counts.
  if (isUnkept(s, exitKnown ? time : (process.lastLineAt ?? time))) s.session = { ...s.session, conversationId: null }
  s.process = null
  s.answered = []
}

/**
 * Whether the process ended without having read the prompt of the run, so that the next process gets the prompt. False
 * for a process that was started for this run, because the next one would only end again.
 */
const isUndelivered = ({ process }: SessionState, run: LiveRun): boolean =>
  run.stored.run.state === 'running' && !run.hasArrived && !run.hasBegun && process?.run !== run.stored.run.run

/** The first lines of a conversation reach the disk about 100 ms after its first turn began. The rest is a margin. */
const keptAfterMs = 2_000

/**
 * Whether the conversation may be missing on disk: its first turn had just begun, and no turn has ended. To resume it
 * could fail for ever. A new conversation loses only a moment of a first turn.
 */
const isUnkept = ({ process }: SessionState, endedAt: number): boolean =>
  process !== null && !process.kept && process.begunAt !== undefined && endedAt - process.begunAt < keptAfterMs
