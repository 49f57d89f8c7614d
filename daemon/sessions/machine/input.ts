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
import type { Resolution } from './resolution.ts'
import type { ProcessExit } from './volatile.ts'

/** Everything that happens to a session. `time` is the wall clock in ms since epoch. */
export type Input = { time: number } & (ClientCall | ProcessFact | WorldFact)

/** Calls of clients. Each is answered once, by the effect `answer` or `refuse`. */
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
  /** More processes are idle than may be, or memory is short. */
  | { input: 'end_idle'; call: number }

/** Facts about the session's process. They count for the process that they name only. */
export type ProcessFact =
  /** All frames of whole lines, up to `offset` of the raw log. */
  | { input: 'output'; process: string; lines: readonly OutputLine[]; offset: number }
  /** Its output cannot be kept. */
  | { input: 'stalled'; process: string; failure: Failure }
  | { input: 'prepared'; process: string; nonce: string; launch: Launch; conversation: string; oneShot: boolean }
  | { input: 'started'; process: string; pid: number; startedAt: number }
  | { input: 'start_failed'; process: string; failure: Failure }
  /** After its last line. */
  | ({ input: 'exited'; process: string } & ProcessExit)
  /** `left`: the record's new value if something was found that lives on. */
  | { input: 'cleared'; process: string; left?: Session['left'] }
  /** All that it had printed when it was adopted has been applied. */
  | { input: 'caught_up'; process: string }

export type WorldFact =
  /** The session was just made. */
  | { input: 'opened'; event: EventBody }
  | { input: 'slot_granted' }
  | { input: 'slot_waits'; what: WaitingFor }
  /** A deadline is due. `printedAt`: when the process printed last, asked of the raw log. */
  | { input: 'tick'; printedAt?: number }
  | { input: 'slept'; from: number; to: number }
  | { input: 'presence'; emptySince: number | undefined }
  | { input: 'left_ended' }
  /** An entry was not stored: the state is the stored one again. */
  | { input: 'storage_failed'; failure: Failure }
  /** All can be stored again. */
  | { input: 'storage_works' }
  /** An exception in muxd's own code, while the last `bytes` of output up to `offset` were at work. */
  | { input: 'fault'; reason: string; bytes: number; offset?: number; whileRestoring: boolean }
  /**
   * The first input after recovery: what the pty-host holds of the process that the state names, and what is wrong with
   * its raw log.
   */
  | { input: 'adopted'; process: AdoptedProcess | null; damage?: { bytes: number; detail: string } }
  | { input: 'shutdown'; reason: string }

/**
 * - `held`: the pty-host has the process.
 * - `starting`: it is being started by this daemon.
 * - `gone`: it has ended, and its output is read to the end.
 */
export type AdoptedProcess =
  | { id: string; state: 'held'; pid: number; startedAt: number; inputEnded: boolean }
  | { id: string; state: 'starting' | 'gone' }
