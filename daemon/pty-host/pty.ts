import { spawn } from 'node-pty'
import { withoutDescriptorGaps } from './descriptor-gaps.ts'

/** A pseudo-terminal with a process in it. The only file that knows node-pty; nothing is ever written to it. */
export interface Pty {
  /** Leader of a session and a process group of its own. */
  readonly pid: number
  /** No `onData` until `resume`. */
  pause(): void
  resume(): void
}

export interface PtyOptions {
  command: readonly [string, ...string[]]
  cwd: string
  env: Record<string, string>
  /** The bytes of one read; never again touched by others. */
  onData: (chunk: Buffer) => void
  /** The process has been reaped and the terminal closed; no `onData` comes after it. */
  onEnd: () => void
}

/** Throws when the kernel gives no terminal or no process. A command that cannot be run prints why and ends. */
export function openPty({ command: [file, ...args], cwd, env, onData, onEnd }: PtyOptions): Pty {
  const pty = withoutDescriptorGaps(() => spawn(file, args, { cwd, env, cols: 200, rows: 50, encoding: null }))
  // With `encoding: null` the chunks are Buffers, whatever the types say.
  pty.onData(chunk => onData(chunk as unknown as Buffer))
  pty.onExit(onEnd)
  return pty
}
