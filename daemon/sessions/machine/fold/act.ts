import type {
  Actor,
  CancelMode,
  CancelStep,
  EventBody,
  Failure,
  RunLimits,
  Session,
  SessionChanges,
} from '../../../../protocol/index.ts'
import type { Launch } from '../../../agents/agent.ts'
import type { ReachedLimit } from './end-request.ts'
import type { Resolution } from './resolution.ts'

/**
 * A decision. It is stored in the transaction of its events, and recovery applies it again. So it contains everything
 * from the clock, the configuration and the clients that its application needs.
 */
export type Act =
  /** The session was created; its log begins with `event`. A session whose log begins empty has no such act. */
  | { act: 'opened'; event: EventBody }
  | { act: 'queued'; run: string; promptUuid: string; prompt: string; limits?: RunLimits; by: Actor }
  | { act: 'moved'; run: string; to: number; by: Actor }
  /** The run leaves the queue. */
  | { act: 'started'; run: string }
  | { act: 'cancel'; run: string; by: Actor; mode: CancelMode; reason?: string }
  | { act: 'limit'; run: string; reached: ReachedLimit }
  | { act: 'escalated'; run: string; step: CancelStep }
  /** A question was decided. A client's deny with `interrupt` also cancels the run in that client's name. */
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
  /** The stored process was never started. */
  | { act: 'process_unstarted' }
  /** `left`: the processes that the session's processes have left behind; undefined if there are none. */
  | { act: 'left'; left?: Session['left'] }
  /** muxd ends a run itself. `unsent`: its prompt never reached the agent. */
  | { act: 'ended'; run: string; cause: 'refused'; failure: Failure }
  | { act: 'ended'; run: string; cause: 'lost'; reason: string }
  | { act: 'ended'; run: string; cause: 'unsent' }
  /** Recovery found that the raw log no longer gives the stored events. */
  | { act: 'damaged'; bytes: number; detail: string }
  /** An exception in muxd's own code, during the processing of the last `bytes` of output up to `offset`. */
  | { act: 'faulted'; reason: string; bytes: number; offset?: number; whileRestoring: boolean }

/** A stored act. It was applied after all output up to `at`. */
export type StoredAct = Act & { n: number; time: number; at: { process: string; offset: number } | null }
