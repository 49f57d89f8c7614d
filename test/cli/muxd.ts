import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

// A test runner may set these to have colours in everything that it starts.
const { NO_COLOR: _no, FORCE_COLOR: _force, ...plain } = process.env

const program = fileURLToPath(new URL('../../dist/muxd.js', import.meta.url))

export interface Invocation {
  /** Resolves once the process has ended. */
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>
  /** Returns the standard output so far. */
  stdout(): string
  stderr(): string
  interrupt(): void
  closeStdout(): void
}

/** Runs the built command line as a user does. `input` is its standard input. */
export function muxd(
  argv: string[],
  options: { env?: Record<string, string>; input?: string | null } = {},
): Invocation {
  const child = spawn(process.execPath, [program, ...argv], {
    env: { ...plain, MUXD_HOME: '/nonexistent', ...options.env },
    stdio: 'pipe',
  })
  child.stdin.on('error', () => {})
  // With null, standard input stays open and empty.
  if (options.input !== null) child.stdin.end(options.input ?? '')
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part))
  const stderr = text(child.stderr.on('data', (part: Buffer) => (said += part.toString())))
  let said = ''
  const closed = new Promise<number | null>(resolve => child.on('close', resolve))
  return {
    ended: closed.then(async code => ({ code, stdout, stderr: await stderr })),
    stdout: () => stdout,
    stderr: () => said,
    interrupt: () => void child.kill('SIGINT'),
    closeStdout: () => void child.stdout.destroy(),
  }
}

export const jsonLines = (output: string): Record<string, unknown>[] =>
  output
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Record<string, unknown>)
