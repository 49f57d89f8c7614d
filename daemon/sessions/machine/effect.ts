import type { Approval, ErrorKind, Run, RunLimits } from '../../../protocol/index.ts'

/**
 * What the interpreter does once the entry of the step is committed, in the order of the steps. Each may be repeated after
 * a crash without harm.
 */
export type Effect =
  /** `published`: only when readers can see the step's events too. */
  | { effect: 'answer'; call: number; result: CallResult; after: 'commit' | 'published' }
  | { effect: 'refuse'; call: number; error: CallError }
  /** One slot a session: asks for it, withdraws the request or gives it back, takes it whether there is room or not. */
  | { effect: 'ask_slot' | 'give_slot' | 'take_slot' | 'lend_slot' | 'reclaim_slot' }
  /** Looks up what a process is started with, and takes its conversation: answered by `prepared` or `start_failed`. */
  | { effect: 'prepare'; process: string; run: string; limits?: RunLimits }
  /** Answered by `started` or `start_failed`. */
  | { effect: 'start'; process: string }
  | { effect: 'send'; process: string; lineId: string; line: string }
  | { effect: 'end_input'; process: string }
  | { effect: 'signal'; process: string; signal: 'SIGINT' | 'SIGTERM' }
  /** Kills the process; its output is still read to the end. `abandon`: what it has yet to print does not count. */
  | { effect: 'kill' | 'abandon'; process: string }
  /** Kills the process, and reads nothing more of it. */
  | { effect: 'discard'; process: string }
  /** Ends what an ended process has started, except what it detached if `spareDetached`: answered by `cleared`. */
  | { effect: 'clear'; process: string; spareDetached: boolean }
  /** Ends what the session's processes have left behind: answered by `left_ended`. */
  | { effect: 'end_left' }
  /** Notes what the process has started. */
  | { effect: 'note'; process: string }
  /** The process has this conversation, and none that it had before. */
  | { effect: 'hold_conversation'; process: string; conversation: string }
  /** Null: whatever the session holds. */
  | { effect: 'release_conversation'; process: string | null }
  /** Reads the output of an ended process again, from `offset` to its end. */
  | { effect: 'read_again'; process: string; offset: number }
  /** The process has nothing to do for now. */
  | { effect: 'process_idle' }
  /** A process has ended: there may be memory for another. */
  | { effect: 'process_gone' }
  /** The session has nothing to do, and may be forgotten unless an input waits. */
  | { effect: 'forget' }
  /** After `shutdown`: nothing of the session is left to end. */
  | { effect: 'stopped' }

/** `session`: the record as it is after this step. A run or approval that is not (any more) this session's is null. */
export type CallResult = { run: Run | null } | { approval: Approval | null } | { session: true } | { ended: boolean }

export interface CallError {
  kind: ErrorKind
  message: string
  details: Record<string, unknown>
}
