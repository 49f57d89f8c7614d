import { spawn } from 'node:child_process'
import { signalIfThere } from '../pty-host/sweep.ts'
import type { Message } from './message.ts'

export interface CommandOptions {
  command: readonly string[]
  /** The daemon's; of muxd's own variables nothing is passed on. */
  environment: NodeJS.ProcessEnv
  timeoutMs: number
}

const graceMs = 2_000
const stderrCharacters = 500

/**
 * Runs a command with a message on its standard input. Nothing of the message is among its arguments, so that nothing of
 * it is ever read as an option or by a shell. After the time-out it is ended with all that it has started in its process
 * group, when `signal` is aborted at once. Resolves when it has ended well.
 */
export function runCommand(
  { command: [program, ...args], environment, timeoutMs }: CommandOptions,
  { event, session, run, body }: Message,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      // The leader of a group of its own.
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...withoutMuxd(environment), MUXD_EVENT: event, MUXD_SESSION: session, MUXD_RUN: run },
    })
    const { pid } = child
    if (pid === undefined) return void child.once('error', reject)
    let stderr = ''
    let ended: string | undefined
    const toGroup = (name: NodeJS.Signals) => signalIfThere(-pid, name)
    const end = (why: string, name: NodeJS.Signals) => {
      ended ??= why
      toGroup(name)
    }
    const timers = [
      setTimeout(() => end(`it took longer than ${timeoutMs} ms`, 'SIGTERM'), timeoutMs),
      setTimeout(() => toGroup('SIGKILL'), timeoutMs + graceMs),
    ]
    const abort = () => end('the daemon ends', 'SIGKILL')
    signal.addEventListener('abort', abort)

    child.on('error', reject)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-stderrCharacters)))
    // One that does not read it has ended, or will be.
    child.stdin.on('error', () => {})
    child.stdin.end(body)
    // Not `close`: what it has left running may hold its standard error.
    child.once('exit', (code, killedBy) => {
      for (const timer of timers) clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      child.stderr.destroy()
      child.stdin.destroy()
      if (ended !== undefined) toGroup('SIGKILL')
      if (ended === undefined && code === 0) return resolve()
      const said = stderr.trim() === '' ? '' : `: ${stderr.trim()}`
      reject(new Error(`${ended ?? `it ended with ${killedBy ?? code}`}${said}`))
    })
    if (signal.aborted) abort()
  })
}

const withoutMuxd = (environment: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('MUXD_')))
