import type { Actor, CancelStep, SessionChanges, WaitingFor } from '../../../protocol/index.ts'
import type { Answer } from '../../agents/agent.ts'
import type { CallError } from './effect.ts'

/** The settings that a session's decisions depend on. */
export interface MachineConfig {
  cancelGraceMs: number
  resultGraceMs: number
  idleCloseMs: number
  unattendedMs: number
  backgroundWaitMs: number
}

/** The half of a session that a restart begins anew. Only `step` changes it, never the fold. */
export interface Volatile {
  config: MachineConfig
  /** Differs in each life of a machine: ids that are made here are used once. */
  nonce: string
  /** How many ids were made. */
  made: number
  mode: 'open' | 'stopping'
  stopReason: string | undefined
  /** `lent`: the run waits for an answer, and its slot is free for others. */
  slot: 'none' | 'asked' | 'held' | 'used' | 'lent'
  /** What the first queued run waits for, besides the runs before it. */
  waitingFor: WaitingFor | undefined
  /** Since when the first queued run waits for background work in a process that it cannot use. */
  backgroundSince: number | undefined
  process: LiveProcess | null
  /** Processes that have ended, and whose leftovers are being looked for. */
  clearing: readonly string[]
  idleSince: number | undefined
  /** The effects that are due once in this state were emitted. */
  forgotten: boolean
  stopped: boolean
  jobs: readonly Job[]
  /** Since when no client has been connected that could answer; undefined while one is. */
  emptySince: number | undefined
  sleeps: readonly Sleep[]
}

export interface Sleep {
  from: number
  to: number
}

/**
 * - `preparing`: its conversation and its launch are looked up
 * - `starting`: its record is stored
 * - `catching_up`: it was taken over, and its output up to then is read; nothing is sent to it
 * - `live`
 * - `clearing`: muxd ended it, its output is complete, and what it started is being ended
 * - `behind`: its output could not be stored; it was killed, and its output is read again later
 */
export type ProcessPhase = 'preparing' | 'starting' | 'catching_up' | 'live' | 'clearing' | 'behind'

export interface LiveProcess {
  id: string
  phase: ProcessPhase
  /** Null while it has not started, and if it is gone and only its output is left. */
  pid: number | null
  startedAt: number
  /** The conversation that is held for it. */
  conversation: string | null
  /** Ids of what it was sent in this life of the machine. */
  sent: Set<string>
  /** A prompt that it may have from an earlier daemon. */
  maybeSent: string | null
  /** It gets no prompt any more. */
  closing: boolean
  inputEnded: boolean
  /** How its end is brought about where no run asks for it. */
  ending: { step: 'input_ended' | 'terminate' | 'kill'; at: number } | null
  pursuit: { run: string; step: CancelStep; at: number } | null
  /** It did not end by itself when it should have. */
  forced: boolean
  signalled: boolean
  /** Whether it has the session's permission rules. `changing`: a client replaces them. */
  rules: 'unknown' | 'asked' | 'held' | 'refused' | 'changing'
  rulesRequest: Request | null
  gaveRules: boolean
  /** When it printed last, read already or not, as far as it was asked for. */
  printedAt: number
  /** How it ended, while it is `clearing`. */
  exit: ProcessExit | null
}

export interface ProcessExit {
  /** The shell's exit status; null if it is not known. */
  status: number | null
  stderrTail: string
  /** There is no exit record: its pty-host died. */
  lost: boolean
}

export interface Request {
  requestId: string
  at: number
}

/** A call that waits for the agent or for the end of the process. One at a time, in order. */
export type Job = UpdateJob | CloseJob

export interface UpdateJob {
  job: 'update'
  call: number
  by: Actor
  changes: SessionChanges
  /** `mode`, `rules`, `model`: the process is asked. `revert`: the mode is put back. `leave`: the conversation is given up. */
  stage: 'wait' | 'mode' | 'rules' | 'model' | 'revert' | 'leave' | 'store'
  /** The process that is asked. */
  process: string | null
  request: Request | null
  answer: Answer | null
  modeBefore: string
  /** What the call is answered after `revert`. */
  refusal: CallError | null
}

export interface CloseJob {
  job: 'close'
  call: number
  sweep: boolean
  stage: 'end' | 'sweep'
}

export const newVolatile = (config: MachineConfig, nonce: string, emptySince?: number): Volatile => ({
  config,
  nonce,
  made: 0,
  mode: 'open',
  stopReason: undefined,
  slot: 'none',
  waitingFor: undefined,
  backgroundSince: undefined,
  process: null,
  clearing: [],
  idleSince: undefined,
  forgotten: false,
  stopped: false,
  jobs: [],
  emptySince,
  sleeps: [],
})

export const newLiveProcess = (id: string, phase: ProcessPhase): LiveProcess => ({
  id,
  phase,
  pid: null,
  startedAt: 0,
  conversation: null,
  sent: new Set(),
  maybeSent: null,
  closing: false,
  inputEnded: false,
  ending: null,
  pursuit: null,
  forced: false,
  signalled: false,
  rules: 'unknown',
  rulesRequest: null,
  gaveRules: false,
  printedAt: 0,
  exit: null,
})

/** For how long the machine has slept since `at`: in that time nothing can be expected of anybody. */
export const sleptSince = ({ sleeps }: Volatile, at: number): number =>
  sleeps.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0)

/** When a grace of `ms` from `at` is over, without the time in which the machine slept. */
export const graceOver = (v: Volatile, at: number, ms: number): number => at + ms + sleptSince(v, at)
