import { createHash } from 'node:crypto'
import type { CancelEnd, EventBody, Failure, Origin, Run, TerminalType, Tokens } from '../../../../protocol/index.ts'
import type { Outcome, Said } from '../../../agents/agent.ts'
import { noTokens } from '../../../usage/tokens.ts'
import { isEnded, nextRunState, type RunInput } from './run-state.ts'
import type { EndRequest } from './end-request.ts'

/** A run as it is stored. */
export interface StoredRun {
  run: Run
  /** The id with which its prompt is sent to the agent; null for a run that the agent began itself. */
  promptUuid: string | null
}

/** A run that has not ended: its record, and facts that the record does not contain. */
export interface LiveRun extends EndRequest {
  stored: StoredRun
  costUsd: number
  tokens: Tokens
  /** Its turn has begun: the agent has its prompt. */
  hasBegun?: boolean
  /** The agent has reported that it got the prompt. */
  hasArrived?: boolean
  /** The agent has begun a turn that names its prompt. */
  hasTurn?: boolean
  /** When a question of its process was last decided. Its inactivity counts from then. */
  answeredAt?: number
  /** The agent's outcome, held until the process of a one-shot session has ended too. */
  held?: Outcome
}

/**
 * Creates the run of a turn that the agent began itself, with the line of `process` that ends at `offset`. The run has
 * the same id each time that line is read.
 */
export function createBackgroundRun(
  session: string,
  origin: Origin,
  firstSeq: number,
  { process, offset }: { process: string; offset: number },
): LiveRun {
  const id = createHash('sha256').update(`${process} ${offset}`).digest('base64url').slice(0, 21)
  return resumeRun({ run: queuedRun(`r_${id}`, session, '', origin, firstSeq), promptUuid: null })
}

export function queuedRun(id: string, session: string, prompt: string, origin: Origin, firstSeq: number): Run {
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

export const resumeRun = (stored: StoredRun): LiveRun => ({ stored, costUsd: 0, tokens: noTokens })

/** Moves a run to the state that `input` leads to. Returns false if the input does not change its state. */
export function advance(run: LiveRun, input: RunInput, time: number): boolean {
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

/** Returns the terminal event of a run that has just ended as `state`. */
export function terminalEvent(
  run: LiveRun,
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
    default:
      return state satisfies never
  }
}

/** Returns the record of an ended run, with its result and the `seq` of its last event. */
export function sealRun(run: LiveRun, event: Extract<EventBody, { type: TerminalType }>, lastSeq: number): StoredRun {
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

// For a run that was restored from its record alone, which does not say who cancelled it.
const unknownCanceller = {
  by: { client: 'c_unknown', name: 'unknown' },
  reason: undefined,
  mode: 'interrupt' as const,
}
