import type { Approval, ErrorKind, Run, RunLimits } from '../../../protocol/index.ts'

/**
 * An action that the interpreter takes after it has committed the entry of the step, in the order of the steps.
 * Repeating an effect after a crash does no harm.
 */
export type Effect =
  /** `published`: not before readers can see the step's events. */
  | { effect: 'answer'; call: number; result: CallResult; after: 'commit' | 'published' }
  | { effect: 'refuse'; call: number; error: CallError }
  /**
   * A session has one slot. `ask_slot` requests it. `give_slot` withdraws the request or returns the slot. `take_slot`
   * takes it even above the limit. `lend_slot` and `reclaim_slot`: others may use it in between.
   */
  | { effect: 'ask_slot' | 'give_slot' | 'take_slot' | 'lend_slot' | 'reclaim_slot' }
  /** Determines the launch of a process and locks its conversation. Answered by `prepared` or `start_failed`. */
  | { effect: 'prepare'; process: string; run: string; limits?: RunLimits }
  /** Answered by `started` or `start_failed`. */
  | { effect: 'start'; process: string }
  | { effect: 'send'; process: string; lineId: string; line: string }
  | { effect: 'end_input'; process: string }
  | { effect: 'signal'; process: string; signal: 'SIGINT' | 'SIGTERM' }
  /** Kills the process and reads its output to the end. `abandon`: does not wait for the rest of its output. */
  | { effect: 'kill' | 'abandon'; process: string }
  /** Kills the process and reads no more of its output. */
  | { effect: 'discard'; process: string }
  /**
   * Ends the processes that an ended process has started, with `spareDetached` except detached ones. Answered by
   * `cleared`.
   */
  | { effect: 'clear'; process: string; spareDetached: boolean }
  /** Ends the processes that the session's processes have left behind. Answered by `left_ended`. */
  | { effect: 'end_left' }
  /** Makes the pty-host note the descendants of the process. */
  | { effect: 'note'; process: string }
  /** Moves the process's lock to this conversation, and releases the one before. */
  | { effect: 'hold_conversation'; process: string; conversation: string }
  /** Releases the lock of the process; with null, the lock of the session, whichever process has it. */
  | { effect: 'release_conversation'; process: string | null }
  /** Reads the output of an ended process again, from `offset` to its end. */
  | { effect: 'read_again'; process: string; offset: number }
  /** The process has nothing to do for now. */
  | { effect: 'process_idle' }
  /** A process has ended, so there may be memory for another. */
  | { effect: 'process_gone' }
  /** The session has nothing to do, and may be dropped from memory unless an input waits. */
  | { effect: 'forget' }
  /** After `shutdown`: the session has nothing left to end. */
  | { effect: 'stopped' }

/** `session`: answers with the record after this step. `run` and `approval` are null if the session has none such. */
export type CallResult = { run: Run | null } | { approval: Approval | null } | { session: true } | { ended: boolean }

export interface CallError {
  kind: ErrorKind
  message: string
  details: Record<string, unknown>
}
