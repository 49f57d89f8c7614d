import { spawn } from 'node-pty'
import { withoutDescriptorGaps } from './descriptor-gaps.ts'

/** A pseudo-terminal with a process in it. muxd never writes to the terminal. Only this file imports node-pty. */
export interface Pty {
  /** The process leads its own session and process group. */
  readonly pid: number
  /** Stops `onData` until `resume`. */
  pause(): void
  resume(): void
}

export interface PtyOptions {
  command: readonly [string, ...string[]]
  cwd: string
  env: Record<string, string>
  /** Called with the bytes of one read. The buffer is not reused. */
  onData: (chunk: Buffer) => void
  /** Called after the process was reaped and the terminal closed. No `onData` follows. */
  onEnd: () => void
}

/** Throws if the kernel gives no terminal or no process. A command that cannot be run prints the reason and ends. */
export function openPty({ command: [file, ...args], cwd, env, onData, onEnd }: PtyOptions): Pty {
  const pty = withoutDescriptorGaps(() => spawn(file, args, { cwd, env, cols: 200, rows: 50, encoding: null }))
  // With `encoding: null` the chunks are Buffers, whatever the types say.
  pty.onData(chunk => onData(chunk as unknown as Buffer))
  pty.onExit(onEnd)
  return pty
}
