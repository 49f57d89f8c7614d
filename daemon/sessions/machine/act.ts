import type {
  Actor,
  CancelMode,
  CancelStep,
  EventBody,
  Failure,
  RunLimits,
  Session,
  SessionChanges,
} from '../../../protocol/index.ts'
import type { Launch } from '../../agents/agent.ts'
import type { ReachedLimit } from './end-request.ts'
import type { Resolution } from './resolution.ts'

/**
 * A decision. It is stored in the transaction of its events, and recovery applies it again: everything that the decision
 * depended on (clock, configuration, clients) is in it or is not needed.
 */
export type Act =
  /** The session was made; `event` is what its log begins with, if anything. */
  | { act: 'opened'; event: EventBody }
  | { act: 'queued'; run: string; promptUuid: string; prompt: string; limits?: RunLimits; by: Actor }
  | { act: 'moved'; run: string; to: number; by: Actor }
  /** The run leaves the queue. */
  | { act: 'started'; run: string }
  | { act: 'cancel'; run: string; by: Actor; mode: CancelMode; reason?: string }
  | { act: 'limit'; run: string; reached: ReachedLimit }
  | { act: 'escalated'; run: string; step: CancelStep }
  /** A question was decided. With a client's deny that interrupts, the run is cancelled in that client's name. */
  | { act: 'resolved'; approval: string; resolution: Resolution }
  | { act: 'updated'; changes: SessionChanges; by: Actor }
  /** A client used the session in a way that leaves no event. */
  | { act: 'used' }
  | { act: 'closed' }
  | {
      act: 'process_begun'
      process: string
      nonce: string
      run: string
      limits?: RunLimits
      launch: Launch
      oneShot: boolean
    }
  | {
      act: 'process_ended'
      status: number | null
      stderrTail: string
      forced: boolean
      lost?: string
      exitKnown: boolean
    }
  /** A process was stored, and never started. */
  | { act: 'process_unstarted' }
  /** What the session's processes have left behind; undefined: nothing. */
  | { act: 'left'; left?: Session['left'] }
  /** muxd ends a run itself. `unsent`: its prompt never reached the agent. */
  | { act: 'ended'; run: string; cause: 'refused'; failure: Failure }
  | { act: 'ended'; run: string; cause: 'lost'; reason: string }
  | { act: 'ended'; run: string; cause: 'unsent' }
  /** Recovery found that the raw log does not give the stored events any more. */
  | { act: 'damaged'; bytes: number; detail: string }
  /** An exception in muxd's own code: `bytes` of output up to `offset` were at work. */
  | { act: 'faulted'; reason: string; bytes: number; offset?: number; whileRestoring: boolean }

/** An act as it is stored: it comes behind all output up to `at`. */
export type StoredAct = Act & { n: number; time: number; at: { process: string; offset: number } | null }
