import type { Actor, CancelMode, CancelStep } from '../../protocol/index.ts'
import type { Answer } from '../agents/agent.ts'
import type { ActiveRun, ReachedLimit } from './active-run.ts'
import { askForEnd, exceed, isHarder, pursue } from './asked-end.ts'
import type { Conversation } from './conversation.ts'
import { type Escalation, startEscalation } from './escalation.ts'
import { lastPrintedAt } from './history.ts'
import { interrupt, type LiveProcess } from './live-process.ts'
import type { Recorder } from './recorder.ts'
import { createRunDeadlines } from './run-deadlines.ts'
import { isEnded } from './run-state.ts'
import type { SessionContext } from './session-context.ts'

/**
 * Ends a session's runs before they would end by themselves, because somebody asks or because a limit is reached. A run
 * has ended when its turn or its process is over, and not before.
 */
export interface RunEnding {
  /** Writes that somebody asks for the end. False when there is nothing to do: an equal or harder request came before. */
  request(run: ActiveRun, by: Actor, mode: CancelMode, reason: string | undefined): boolean
  /** Takes the first step towards the end that was asked for, once the request is in the log. */
  bringAbout(run: ActiveRun, mode: CancelMode): void
  /** Both at once. */
  cancel(run: ActiveRun, by: Actor, mode: CancelMode, reason: string | undefined): void
  /** Goes on with what the daemon before this one had begun. */
  resume(run: ActiveRun, process: LiveProcess): void
  /** Something has changed that a limit may depend on. */
  look(): void
  /** An answer of Claude Code, of which one may say that an interrupt came before its turn. */
  answered(answer: Answer): void
  /** A run has ended, by whatever. */
  ended(run: ActiveRun): void
  /** Nothing is begun any more. */
  stop(): void
}

export interface RunEndingOptions extends Pick<SessionContext, 'config' | 'processesDir'> {
  conversation: Conversation
  recorder: Recorder
  /** The process that is there. */
  process(): LiveProcess | null
  /** Whether a prompt is being brought to it, and has not been sent. */
  isStarting(): boolean
  /** Whether a process is being taken over, whose output is not read or whose prompt may not have been sent. */
  isResuming(): boolean
  /** The session's state may be another. */
  refresh(): void
  /** Commits what is gathered; false when that failed. */
  saved(): boolean
}

export function createRunEnding(options: RunEndingOptions): RunEnding {
  const { conversation, recorder, config, processesDir, process, refresh, saved } = options
  let pursuit: { run: ActiveRun; escalation: Escalation } | undefined
  let stopped = false
  const deadlines = createRunDeadlines(watched, reached)

  return {
    request,
    cancel(run, by, mode, reason) {
      if (request(run, by, mode, reason)) bringAbout(run, mode)
    },
    bringAbout,
    resume(run, live) {
      // A client may have asked again while the process was being taken over.
      if (pursuit?.run !== run) escalate(run, live, run.pursued ?? 'interrupt')
    },
    look: deadlines.look,
    answered(answer) {
      const uuid = pursuit?.run.stored.promptUuid
      const live = process()
      // It has stopped nothing: the prompt is named as still queued.
      if (live && uuid && answer.stillQueued.includes(uuid)) interrupt(live.claude)
    },
    ended(run) {
      if (pursuit?.run !== run) return
      pursuit.escalation.stop()
      pursuit = undefined
    },
    stop() {
      stopped = true
      deadlines.close()
      pursuit?.escalation.stop()
    },
  }

  function request(run: ActiveRun, by: Actor, mode: CancelMode, reason: string | undefined): boolean {
    if (run.cancel && !isHarder(mode, run.cancel.mode)) return false
    const event = { type: 'cancel_requested', by, ...(reason !== undefined && { reason }), mode } as const
    recorder.event(event, run.stored.run.run, Date.now())
    askForEnd(run, { by, reason, mode })
    conversation.end(run, 'cancel_requested', Date.now())
    if (isEnded(run.stored.run.state)) return false
    refresh()
    return true
  }

  /** The run that the clock goes for. */
  function watched() {
    const run = conversation.active
    if (!run || run.held || run.stored.run.state !== 'running' || options.isResuming()) return undefined
    const { limits, startedAt } = run.stored.run
    if (!limits || startedAt === null) return undefined
    const live = process()
    const printedAt = live && limits.inactivityMs ? lastPrintedAt(processesDir, live.claude) : undefined
    const waiting = conversation.record.state === 'waiting'
    return { limits, startedAt, printedAt, answeredAt: run.answeredAt, waiting }
  }

  function reached(limit: ReachedLimit) {
    const run = conversation.active
    if (!run || stopped) return
    recorder.event({ type: 'limit_reached', ...limit }, run.stored.run.run, Date.now())
    exceed(run, limit)
    conversation.end(run, 'limit_reached', Date.now())
    refresh()
    // What cannot be stored ends the run by itself.
    if (saved()) bringAbout(run, 'interrupt')
    recorder.commit()
  }

  /** Its end has been asked for, and that is in the log. */
  function bringAbout(run: ActiveRun, mode: CancelMode) {
    // The next daemon goes on with it.
    if (stopped) return
    const live = process()
    if (pursuit?.run === run) pursuit.escalation.hasten(mode)
    else if (live && !options.isStarting()) escalate(run, live, mode)
    else {
      // Its prompt has not been sent, and will not be: there is nothing to wait for.
      conversation.end(run, 'process_ended', Date.now(), { unsent: true })
    }
  }

  function escalate(run: ActiveRun, live: LiveProcess, from: CancelStep) {
    const steps = live.cancelSteps(step => {
      if (!isHarder(step, run.pursued)) return
      recorder.event({ type: 'cancel_escalated', step }, run.stored.run.run, Date.now())
      pursue(run, step)
      // Before it is done: what the process prints of it is told as the end of a process.
      saved()
    })
    pursuit = { run, escalation: startEscalation(steps, config.cancelGraceMs, from) }
  }
}
