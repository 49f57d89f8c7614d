import type {
  Actor,
  CancelMode,
  EventBody,
  Failure,
  RunLimits,
  Session,
  SessionChanges,
  WaitingFor,
} from '../../../protocol/index.ts'
import type { Launch, OutputLine } from '../../agents/agent.ts'
import type { Resolution } from './fold/resolution.ts'
import type { ProcessExit } from './volatile.ts'

/** Everything that a session reacts to. `time` is the wall clock in ms since epoch. */
export type Input = { time: number } & (ClientCall | ProcessFact | WorldFact)

/** Calls of clients and of the daemon. Each is answered once, by the effect `answer` or `refuse`. */
export type ClientCall =
  | { input: 'enqueue'; call: number; run: string; promptUuid: string; prompt: string; limits?: RunLimits; by: Actor }
  | { input: 'move'; call: number; run: string; to: number; by: Actor }
  | { input: 'cancel'; call: number; run: string; mode: CancelMode; reason?: string; by: Actor }
  /** `resolution` was checked against the question. */
  | { input: 'answer'; call: number; approval: string; resolution: Resolution; by: Actor }
  | { input: 'update'; call: number; changes: SessionChanges; by: Actor }
  /** A use that leaves no event, such as a fork. */
  | { input: 'use'; call: number }
  | { input: 'close'; call: number; sweep: boolean }
  /** From the daemon: too many processes are idle, or memory is short. */
  | { input: 'end_idle'; call: number }

/** Facts about the session's process. A fact applies only to the process that it names. */
export type ProcessFact =
  /** All frames of whole lines, up to `offset` of the raw log. */
  | { input: 'output'; process: string; lines: readonly OutputLine[]; offset: number }
  /** Its raw log cannot be written. */
  | { input: 'stalled'; process: string; failure: Failure }
  | { input: 'prepared'; process: string; nonce: string; launch: Launch; conversation: string; oneShot: boolean }
  | { input: 'started'; process: string; pid: number; startedAt: number }
  | { input: 'start_failed'; process: string; failure: Failure }
  /** Comes after the last line of its output. */
  | ({ input: 'exited'; process: string } & ProcessExit)
  /** `left`: the new `left` of the record, present if processes were found that live on. */
  | { input: 'cleared'; process: string; left?: Session['left'] }
  /** The output that existed when the process was adopted has been applied. */
  | { input: 'caught_up'; process: string }

export type WorldFact =
  /** The session was just created. */
  | { input: 'opened'; event: EventBody }
  | { input: 'slot_granted' }
  | { input: 'slot_waits'; what: WaitingFor }
  /** A deadline is due. `printedAt`: when the process last printed, according to the raw log. */
  | { input: 'tick'; printedAt?: number }
  | { input: 'slept'; from: number; to: number }
  | { input: 'presence'; emptySince: number | undefined }
  | { input: 'left_ended' }
  /** An entry could not be stored, and the state was reset to the stored one. */
  | { input: 'storage_failed'; failure: Failure }
  /** Storage works again. */
  | { input: 'storage_works' }
  /** An exception in muxd's own code, during the processing of the last `bytes` of output up to `offset`. */
  | { input: 'fault'; reason: string; bytes: number; offset?: number; whileRestoring: boolean }
  /** The first input after recovery: what has become of the process in the state, and the damage in its raw log. */
  | { input: 'adopted'; process: AdoptedProcess | null; damage?: { bytes: number; detail: string } }
  | { input: 'shutdown'; reason: string }

/**
 * - `held`: the pty-host holds the process
 * - `starting`: this daemon is starting it
 * - `gone`: it has ended, and the rest of its output is about to be read
 */
export type AdoptedProcess =
  | { id: string; state: 'held'; pid: number; startedAt: number; inputEnded: boolean }
  | { id: string; state: 'starting' | 'gone' }
