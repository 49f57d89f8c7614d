import type {
  Activity,
  Actor,
  Approval,
  ApprovalAnswer,
  CancelMode,
  Run,
  RunLimits,
  Session,
  SessionChanges,
} from '../../../protocol/index.ts'
import type { KeepAnswer } from '../../rpc/idempotency.ts'
import type { StoredFacts } from '../recovery/stored-facts.ts'

/** A session that is at work or is about to be. Each call is answered when what it did is stored. */
export interface LiveSession {
  readonly record: Session
  /** Appends a run to the queue. */
  enqueue(prompt: string, by: Actor, keep?: KeepAnswer, limits?: RunLimits): Promise<Run>
  /** Gives a queued run another position; null if it is none of this session's queued runs. */
  move(run: string, to: number, by: Actor): Promise<Run | null>
  /** Asks for the end of a run; null if it is none of this session's unfinished runs. */
  cancel(run: string, by: Actor, mode: CancelMode, reason: string | undefined): Promise<Run | null>
  /** Answers a question of the agent; null if it does not wait for an answer. Throws `RpcError` for a wrong answer. */
  answer(answer: ApprovalAnswer, by: Actor, keep?: KeepAnswer): Promise<Approval | null>
  /** Changes the session, and its process if it has one. */
  update(changes: SessionChanges, by: Actor): Promise<Session>
  /** A client has used the session in a way that leaves no event in its log. */
  used(): Promise<Session>
  /** Whether a run is queued or active. */
  readonly busy: boolean
  readonly queuedRuns: number
  /** Bytes of the queued prompts. */
  readonly queuedBytes: number
  /** The last sign of life of a run that goes on here. */
  activityOf(run: string): Activity | undefined
  /** The session has a process that it does not need now, and that was not told to end. */
  readonly hasIdleProcess: boolean
  /** Ends the process if it is idle; returns whether it is. */
  endIdleProcess(): boolean
  /** Restores what an earlier daemon left. Called once, before anything else; `readOn` follows when all are restored. */
  takeOver(facts: StoredFacts): void
  /** Reads what the process has printed since. */
  readOn(): void
  /** Ends the process, gently, and with `sweep` what the session's processes have left behind. */
  close(options?: { sweep: boolean }): Promise<Session>
  /** The session is deleted: ends a process whose end could not be stored, and does not try to store it again. */
  drop(): void
  /** The daemon stops: ends the process; every unfinished run becomes `interrupted`. */
  shutdown(reason: string): Promise<void>
  /** The daemon goes and another will come: stops acting, and leaves everything as it is. */
  leave(): Promise<void>
}
