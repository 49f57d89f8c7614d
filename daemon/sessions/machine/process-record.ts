import { limits } from '../../../protocol/limits.ts'
import type { AgentCodec } from '../../agents/agent.ts'
import type { StoredAct } from './act.ts'
import type { LiveRun } from './live-run.ts'
import { withdrawAll } from './questions.ts'
import { endRun, releaseHeld } from './runs.ts'
import type { Sink } from './sink.ts'
import type { SessionState } from './state.ts'

/** The fold's part of a process's life: what its beginning and its end change. */

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
    // A fork has a transcript of its own to be written.
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

/** Ends with the process the runs that it leaves behind. */
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
  // When a process without an exit record ended is not known: its last line counts.
  if (isUnkept(s, exitKnown ? time : (process.lastLineAt ?? time))) s.session = { ...s.session, conversationId: null }
  s.process = null
  s.answered = []
}

/**
 * Whether the prompt was sent to a process that was there, and that ended without reading it: the next process gets it. A
 * process that was started for the run would only end again.
 */
const isUndelivered = ({ process }: SessionState, run: LiveRun): boolean =>
  run.stored.run.state === 'running' && !run.hasArrived && !run.hasBegun && process?.run !== run.stored.run.run

/** The first lines of a conversation reach the disk about 100 ms after its first turn began; the rest is for busy machines. */
const keptAfterMs = 2_000

/**
 * Whether the agent may not know this conversation: it had just begun, and no turn of it has ended. To resume it could fail
 * for ever; to begin anew loses a moment of a first turn.
 */
const isUnkept = ({ process }: SessionState, endedAt: number): boolean =>
  process !== null && !process.kept && process.begunAt !== undefined && endedAt - process.begunAt < keptAfterMs
