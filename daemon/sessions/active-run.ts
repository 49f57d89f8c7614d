import { createHash, randomUUID } from 'node:crypto'
import { nanoid } from 'nanoid'
import type {
  Actor,
  CancelEnd,
  CancelMode,
  CancelStep,
  EventBody,
  EventOf,
  Failure,
  Origin,
  Run,
  RunLimits,
  TerminalType,
  Tokens,
} from '../../protocol/index.ts'
import type { Outcome, Said } from '../agents/agent.ts'
import type { StoredRun } from '../store/store.ts'
import { noTokens } from '../usage/tokens.ts'
import type { Place } from './admission.ts'
import { isEnded, nextRunState, type RunInput } from './run-state.ts'

/** A run that has not ended: its record, and what is known of it meanwhile. */
export interface ActiveRun {
  /** Its turn has begun: Claude Code has its prompt. */
  hasBegun?: boolean
  stored: StoredRun
  costUsd: number
  tokens: Tokens
  /** Who asked for its end first, and the strongest mode that anybody asked for. */
  cancel?: { by: Actor; reason?: string; mode: CancelMode }
  /** It came to this limit before anybody asked for its end: then it has failed, not been cancelled. */
  exceeded?: ReachedLimit
  /** The hardest that was done to end it. */
  pursued?: CancelStep
  /** Claude Code has reported that it got the prompt. */
  hasArrived?: boolean
  /** Claude Code has begun the turn of its prompt, and has named the prompt. */
  hasTurn?: boolean
  /** When the last question of its process was answered: its silence counts from then. */
  answeredAt?: number
  /** Claude Code's outcome, kept back until the process of a one-shot session is over too. */
  held?: Outcome
  /** Among the active runs. Turns that Claude Code begins itself have none. */
  place?: Place
}

export type ReachedLimit = Pick<EventOf<'limit_reached'>, 'limit' | 'value'>

/** A run that somebody asked for. */
export const createRun = (
  session: string,
  prompt: string,
  by: Actor,
  firstSeq: number,
  limits?: RunLimits,
): ActiveRun => {
  const run = queuedRun(`r_${nanoid()}`, session, prompt, by, firstSeq)
  return resumeRun({ run: { ...run, ...(limits && { limits }) }, promptUuid: randomUUID() })
}

/** A run that Claude Code begins itself, by what a process printed up to `offset`: it has the same id whenever that is read. */
export function createBackgroundRun(
  session: string,
  origin: Origin,
  firstSeq: number,
  { process, offset }: { process: string; offset: number },
): ActiveRun {
  const id = createHash('sha256').update(`${process} ${offset}`).digest('base64url').slice(0, 21)
  return resumeRun({ run: queuedRun(`r_${id}`, session, '', origin, firstSeq), promptUuid: null })
}

function queuedRun(id: string, session: string, prompt: string, origin: Origin, firstSeq: number): Run {
  return {
    run: id,
    session,
    state: 'queued',
    position: null,
    prompt,
    origin,
    firstSeq,
    lastSeq: null,
    startedAt: null,
    endedAt: null,
    result: null,
  }
}

export const resumeRun = (stored: StoredRun): ActiveRun => ({ stored, costUsd: 0, tokens: noTokens })

/** Moves a run to the state that `input` leads to; false when it means nothing to it. */
export function advance(run: ActiveRun, input: RunInput, time: number): boolean {
  const { waitingFor: _, ...before } = run.stored.run
  const state = nextRunState(before.state, input, run.exceeded !== undefined)
  if (state === before.state) return false
  run.stored = {
    ...run.stored,
    run: {
      ...before,
      state,
      position: null,
      startedAt: input === 'started' ? time : before.startedAt,
      endedAt: isEnded(state) ? time : null,
    },
  }
  return true
}

/** The terminal event of a run that has just ended as `state`. */
export function terminalEvent(
  run: ActiveRun,
  state: TerminalType,
  facts: { outcome?: Outcome; said: Said; failure?: Failure; lost?: string; ended: CancelEnd },
): Extract<EventBody, { type: TerminalType }> {
  const { response, transcript, responseCut, transcriptCut } = facts.outcome ?? facts.said
  const said: Said = {
    response,
    transcript,
    ...(responseCut && { responseCut }),
    ...(transcriptCut && { transcriptCut }),
  }
  switch (state) {
    case 'done':
      if (facts.outcome?.type === 'done') return facts.outcome
      throw new Error(`run ${run.stored.run.run} cannot be done without an outcome`)
    case 'failed':
      return { type: 'failed', failure: facts.failure ?? failureOf(facts.outcome), ...said }
    case 'cancelled': {
      const { by, reason, mode } = run.cancel ?? unknownCanceller
      return { type: 'cancelled', by, ...(reason !== undefined && { reason }), mode, ended: facts.ended, ...said }
    }
    case 'interrupted':
      return { type: 'interrupted', reason: facts.lost ?? 'the process was lost', ...said }
  }
}

/** The record of an ended run: its place in the log and its result. */
export function sealRun(run: ActiveRun, event: Extract<EventBody, { type: TerminalType }>, lastSeq: number): StoredRun {
  return {
    ...run.stored,
    run: {
      ...run.stored.run,
      lastSeq,
      result: {
        response: event.response,
        costUsd: run.costUsd,
        tokens: run.tokens,
        ...(event.type === 'failed' && { failure: event.failure }),
      },
    },
  }
}

function failureOf(outcome: Outcome | undefined): Failure {
  if (outcome?.type === 'failed') return outcome.failure
  return { code: 'unknown', title: 'The run failed for an unknown reason', detail: '', retryable: false }
}

// After a restart: the request is in the log, the run's record says only that there was one.
const unknownCanceller = {
  by: { client: 'c_unknown', name: 'unknown' },
  reason: undefined,
  mode: 'interrupt' as const,
}
