import type { LeftProcess } from '../os/left-process.ts'

/** What tells a process that was left from another with its pid. */
export type LeftIdentity = Pick<LeftProcess, 'pid' | 'identity'>

/**
 * What owns the PTYs. The interface is small and asynchronous: `in-process.ts` is the one that really does, in the
 * pty-host's process; `remote.ts` is the daemon's side of that. Both pass the same conformance suite
 * (test/pty-host/conformance.ts).
 *
 * A pty-host does five things: it starts a process in a PTY, appends every byte the process prints to the raw log before
 * anybody sees it, writes lines to its input, signals it, and ends what it leaves behind. It never looks into what is printed: the reader of the
 * raw log finds the exit record there and then calls `release`.
 */
export interface PtyHost {
  /** Starts a process. Rejects with `SpawnFailed` when the shim cannot be started; a command that cannot be run ends by itself with 126 or 127. */
  start(spec: ProcessSpec): Promise<HeldProcess>
  /** The processes that have not been released. */
  list(): HeldProcess[]
  /**
   * After the end of a process: ends what it has started, marked or descended. With `spareDetached` that goes on which is in
   * a session other than its own, and is the answer. Then what is known of it is forgotten.
   */
  clear(id: string, options: { spareDetached: boolean }): Promise<LeftProcess[]>
  /** Ends processes that were left, as far as they are still the same, and everything with the mark of one of these processes. */
  endLeft(ids: readonly string[], left: readonly LeftIdentity[]): Promise<void>
  /** Kills and releases whatever is left. Resolves when no process, PTY, FIFO or descriptor of this pty-host is left. */
  close(): Promise<void>
}

export interface ProcessSpec {
  /** Names the files of the process in the processes directory (`process-files.ts`). */
  id: string
  /** Random text that marks the exit record, so that nothing printed can be taken for it. Letters and digits. */
  nonce: string
  /** Program and arguments; the program is an absolute path. */
  command: [string, ...string[]]
  /** Absolute, without links: where it leads elsewhere when the process starts, the process is not started. */
  cwd: string
  /** The whole environment of the process. */
  env: Record<string, string>
}

export interface HeldProcess {
  readonly id: string
  /** The shim: leader of the process group that signals go to. */
  readonly pid: number
  /** The command itself. */
  readonly commandPid: number
  /** Ms since epoch. */
  readonly startedAt: number
  /** Bytes in the raw log so far. */
  readonly rawBytes: number
  /**
   * Sends one line (the newline is added) to the process's input. Resolves when the kernel has taken it, rejects with
   * `InputClosed` when the process will not read it any more. Lines arrive whole and in the order of the calls. A line
   * whose `lineId` has been used before is not written again: who does not know whether it was sent sends it again.
   */
  writeLine(line: string, lineId?: string): Promise<void>
  /** Closes the process's input after the lines written so far. Idempotent. */
  endInput(): Promise<void>
  /** `endInput` was called, by whomever. */
  readonly inputEnded: boolean
  /** Its pty-host has died, and so has its terminal. */
  readonly lost: boolean
  /** To the process group; the shim survives it. A process that is gone already is success. */
  signal(signal: 'SIGINT' | 'SIGTERM'): Promise<void>
  /** Notes what it has started, while that can still be seen. */
  note(): Promise<void>
  /** SIGKILL to the command itself, then to what it left behind (`sweep.ts`). The shim still prints the exit record. */
  kill(): Promise<void>
  /** Called after bytes were appended, with the new size; and once more with `ended` when the PTY is gone, whatever the reason, soon also to who comes after that. Returns the unsubscribe function. */
  onGrow(listener: (rawBytes: number, ended: boolean) => void): () => void
  /** Called when the raw log cannot be written: the PTY is held up until it can. Returns the unsubscribe function. */
  onStalled(listener: (error: unknown) => void): () => void
  /** The stream has been read to its exit record (or given up): ends the shim, closes the PTY and the input, removes the FIFOs and the pid file. Idempotent. */
  release(): Promise<void>
}

export class SpawnFailed extends Error {
  override readonly name = 'SpawnFailed'
}

export class InputClosed extends Error {
  override readonly name = 'InputClosed'
}
