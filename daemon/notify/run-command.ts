import { spawn } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { signalIfThere } from '../pty-host/sweep.ts'
import type { Message } from './message.ts'

export interface CommandOptions {
  command: readonly string[]
  /** The daemon's environment. Variables of muxd itself are not passed on. */
  environment: NodeJS.ProcessEnv
  timeoutMs: number
}

const graceMs = 2_000
const stderrCharacters = 500

/**
 * Runs a command with a message on its standard input. No part of the message is among its arguments, so that none is
 * ever read as an option or by a shell. After the time-out, the command is ended with everything that it has started in
 * its process group; when `signal` is aborted, it is killed at once. Resolves if it ends with exit code 0.
 */
export function runCommand(
  { command: [program, ...args], environment, timeoutMs }: CommandOptions,
  { event, session, run, body }: Message,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      // The command becomes the leader of its own process group.
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
    // A command that does not read its input has ended, or will be ended.
    child.stdin.on('error', () => {})
    child.stdin.end(body)
    // Not `close`: a process that the command left running may hold its standard error.
    child.once('exit', async (code, killedBy) => {
      for (const timer of timers) clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      child.stdin.destroy()
      if (ended !== undefined) toGroup('SIGKILL')
      // The exit may arrive before the last output. The second turn begins after the event loop has polled the pipe.
      await nextTurn()
      await nextTurn()
      child.stderr.destroy()
      if (ended === undefined && code === 0) return resolve()
      const said = stderr.trim() === '' ? '' : `: ${stderr.trim()}`
      reject(new Error(`${ended ?? `it ended with ${killedBy ?? code}`}${said}`))
    })
    if (signal.aborted) abort()
  })
}

const withoutMuxd = (environment: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('MUXD_')))
