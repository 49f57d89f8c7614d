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

/** A session in memory. Each call is answered when its changes are stored. */
export interface LiveSession {
  readonly record: Session
  /** Appends a run to the queue. */
  enqueue(prompt: string, by: Actor, keep?: KeepAnswer, limits?: RunLimits): Promise<Run>
  /** Gives a queued run another position; null if it is not a queued run of this session. */
  move(run: string, to: number, by: Actor): Promise<Run | null>
  /** Asks for the end of a run; null if it is not an unfinished run of this session. */
  cancel(run: string, by: Actor, mode: CancelMode, reason: string | undefined): Promise<Run | null>
  /**
   * Answers a question of the agent; null if the question is not open. Rejects with `RpcError` for an invalid answer.
   */
  answer(answer: ApprovalAnswer, by: Actor, keep?: KeepAnswer): Promise<Approval | null>
  /** Changes the session, and its process if it has one. */
  update(changes: SessionChanges, by: Actor): Promise<Session>
  /** Records a use of the session that leaves no event in its log, such as a fork. */
  used(): Promise<Session>
  /** Whether a run is queued or active. */
  readonly busy: boolean
  readonly queuedRuns: number
  /** Bytes of the queued prompts. */
  readonly queuedBytes: number
  /** Returns the last activity of an unfinished run of this session. */
  activityOf(run: string): Activity | undefined
  /** Whether the session has an idle process that is not being closed. */
  readonly hasIdleProcess: boolean
  /** Ends the process if it is idle; returns whether it is. */
  endIdleProcess(): boolean
  /**
   * Restores the session that an earlier daemon left. Called once, before anything else; `readOn` follows once all are
   * restored.
   */
  takeOver(facts: StoredFacts): void
  /** Begins to read the output of the process from the checkpoint on. */
  readOn(): void
  /** Ends the process gently. `sweep`: also ends the processes that the session's processes have left behind. */
  close(options?: { sweep: boolean }): Promise<Session>
  /**
   * Ends a deleted session in memory. Kills a process whose end could not be stored, and does not try to store it
   * again.
   */
  drop(): void
  /** Ends the process because the daemon stops. Every unfinished run becomes `interrupted`. */
  shutdown(reason: string): Promise<void>
  /** Stops acting and leaves everything as it is, for the next daemon to take over. */
  leave(): Promise<void>
}
