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

/** The half of a session that is empty after a restart. Only `step` changes it, never the fold. */
export interface Volatile {
  config: MachineConfig
  /** Differs in each life of a machine, so that the ids made from it are unique. */
  nonce: string
  /** The number of ids made in this life. */
  made: number
  mode: 'open' | 'stopping'
  stopReason: string | undefined
  /** `held`: no run uses it yet. `lent`: the run waits for an answer, and another session may use the slot. */
  slot: 'none' | 'asked' | 'held' | 'used' | 'lent'
  /** What the first queued run waits for, apart from the runs before it. */
  waitingFor: WaitingFor | undefined
  /** When the first queued run began to wait for background work in a process that it cannot use. */
  backgroundSince: number | undefined
  process: LiveProcess | null
  /** Ids of ended processes whose leftover processes are being looked for. */
  clearing: readonly string[]
  idleSince: number | undefined
  /** The effect `forget` was emitted, and nothing has happened since. */
  forgotten: boolean
  stopped: boolean
  jobs: readonly Job[]
  /** The time since which no client that could answer is connected; undefined while one is. */
  emptySince: number | undefined
  sleeps: readonly Sleep[]
}

export interface Sleep {
  from: number
  to: number
}

/**
 * - `preparing`: muxd looks up its launch and locks its conversation
 * - `starting`: its record is stored, and it is being started
 * - `catching_up`: muxd took it over and reads the output that existed then; nothing is sent to it
 * - `live`
 * - `clearing`: muxd ended it, its output is complete, and the processes that it started are being ended
 * - `behind`: its output could not be stored; muxd killed it and reads its output again later
 */
export type ProcessPhase = 'preparing' | 'starting' | 'catching_up' | 'live' | 'clearing' | 'behind'

export interface LiveProcess {
  id: string
  phase: ProcessPhase
  /** Null before it has started, and after its end if only its output is left. */
  pid: number | null
  startedAt: number
  /** The id of the conversation that is locked for it. */
  conversation: string | null
  /** Keys of the commands and lines that were sent to it in this life of the machine. */
  sent: Set<string>
  /** The id of a prompt that an earlier daemon may have sent to it. */
  maybeSent: string | null
  /** It is about to end, and gets no more lines. */
  closing: boolean
  inputEnded: boolean
  /** The last step by which muxd ends it when no cancelled run requires its end, and the time of that step. */
  ending: { step: 'input_ended' | 'terminate' | 'kill'; at: number } | null
  pursuit: { run: string; step: CancelStep; at: number } | null
  /** muxd ended it by force: it did not end in time, or it was at work when the daemon stopped. */
  forced: boolean
  signalled: boolean
  /** Whether it has the session's permission rules. `changing`: a client replaces them. */
  rules: 'unknown' | 'asked' | 'held' | 'refused' | 'changing'
  rulesRequest: Request | null
  gaveRules: boolean
  /** The time of its newest output, read or not, according to the latest tick that knew it. */
  printedAt: number
  /** Set while it is `clearing`. */
  exit: ProcessExit | null
}

export interface ProcessExit {
  /** The shell's exit status; null if it is unknown. */
  status: number | null
  stderrTail: string
  /** The reason of its end is unknown: its pty-host died, or the exit record is damaged. */
  lost: boolean
}

export interface Request {
  requestId: string
  at: number
}

/** A call that waits for the agent or for the end of the process. Jobs are done one at a time, in order. */
export type Job = UpdateJob | CloseJob

export interface UpdateJob {
  job: 'update'
  call: number
  by: Actor
  changes: SessionChanges
  /** `mode`, `rules`, `model`: asks the process. `revert`: restores the mode. `leave`: gives the conversation up. */
  stage: 'wait' | 'mode' | 'rules' | 'model' | 'revert' | 'leave' | 'store'
  /** The process that is asked. */
  process: string | null
  request: Request | null
  answer: Answer | null
  modeBefore: string
  /** The error that the call gets after `revert`. */
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

/** Returns how long the computer has slept since `at`, in ms. No process and no person can act in that time. */
export const sleptSince = ({ sleeps }: Volatile, at: number): number =>
  sleeps.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0)

/** Returns when a grace time of `ms` from `at` is over. Time in which the computer slept does not count. */
export const graceOver = (v: Volatile, at: number, ms: number): number => at + ms + sleptSince(v, at)
