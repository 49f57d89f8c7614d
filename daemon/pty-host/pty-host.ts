import type { LeftProcess } from '../os/left-process.ts'

/** Identifies a process that was left running, even if its pid is reused. */
export type LeftIdentity = Pick<LeftProcess, 'pid' | 'identity'>

/**
 * The owner of the PTYs. `in-process.ts` implements it in the pty-host's process; `remote.ts` is the daemon's side and
 * calls that process. Both pass the same conformance suite (test/pty-host/conformance.ts).
 *
 * A pty-host does five things: it starts a process in a PTY, appends every byte that the process prints to the raw log
 * before anything reads it, writes lines to its input, signals it, and ends the processes that it leaves behind. It
 * does not interpret the output: the reader of the raw log finds the exit record there and then calls `release`.
 */
export interface PtyHost {
  /**
   * Starts a process. Rejects with `SpawnFailed` if the shim cannot be started. A command that cannot be run ends by
   * itself with status 126 or 127.
   */
  start(spec: ProcessSpec): Promise<HeldProcess>
  /** Returns the processes that have not been released. */
  list(): HeldProcess[]
  /**
   * Ends the processes that process `id` has started (found by mark or by descent), and discards the notes about them.
   * For use after the end of the process. With `spareDetached`, processes in another session than its own continue and
   * are returned.
   */
  clear(id: string, options: { spareDetached: boolean }): Promise<LeftProcess[]>
  /** Ends the processes in `left` whose identity still matches, and all processes with the mark of one of `ids`. */
  endLeft(ids: readonly string[], left: readonly LeftIdentity[]): Promise<void>
  /** Kills and releases all processes. Resolves when no process, PTY, FIFO or descriptor of this pty-host is left. */
  close(): Promise<void>
}

export interface ProcessSpec {
  /** Names the files of the process in the processes directory (`process-files.ts`). */
  id: string
  /** Random letters and digits that mark the exit record, so that output cannot be mistaken for it. */
  nonce: string
  /** Program and arguments; the program is an absolute path. */
  command: [string, ...string[]]
  /** Absolute path without symbolic links. If it leads elsewhere when the process starts, the start fails. */
  cwd: string
  /** The whole environment of the process. */
  env: Record<string, string>
}

export interface HeldProcess {
  readonly id: string
  /** Pid of the shim, which leads the process group that gets the signals. */
  readonly pid: number
  /** Pid of the command. */
  readonly commandPid: number
  /** Ms since epoch. */
  readonly startedAt: number
  /** Size of the raw log so far. */
  readonly rawBytes: number
  /**
   * Writes one line and a newline to the process's input. Resolves when the kernel has taken it. Rejects with
   * `InputClosed` when the process no longer reads its input. Lines arrive whole and in the order of the calls.
   * A line whose `lineId` was used before is not written again, so a caller can resend a line whose delivery is
   * unknown.
   */
  writeLine(line: string, lineId?: string): Promise<void>
  /** Closes the process's input after the lines written so far. Idempotent. */
  endInput(): Promise<void>
  /** Whether `endInput` was called, by this daemon or an earlier one. */
  readonly inputEnded: boolean
  /** Whether the pty-host, and with it the terminal, has died. */
  readonly lost: boolean
  /** Sends a signal to the process group; the shim survives it. Succeeds if the process has ended already. */
  signal(signal: 'SIGINT' | 'SIGTERM'): Promise<void>
  /** Notes the descendants of the process, while their descent is still visible. */
  note(): Promise<void>
  /** Sends SIGKILL to the command and all its descendants (`sweep.ts`). The shim still prints the exit record. */
  kill(): Promise<void>
  /**
   * Calls `listener` with the new size after each append, and once with `ended` when the PTY is closed for any reason.
   * A listener that is added after the end is called with `ended` soon after. Returns the unsubscribe function.
   */
  onGrow(listener: (rawBytes: number, ended: boolean) => void): () => void
  /**
   * Calls `listener` when the raw log cannot be written; the PTY pauses until it can. Returns the unsubscribe callback.
   */
  onStalled(listener: (error: unknown) => void): () => void
  /**
   * Ends the shim, closes the PTY and the input, and removes the FIFOs and the pid file. For use when the stream has
   * been read to its exit record, or is given up. Idempotent.
   */
  release(): Promise<void>
}

export class SpawnFailed extends Error {
  override readonly name = 'SpawnFailed'
}

export class InputClosed extends Error {
  override readonly name = 'InputClosed'
}
