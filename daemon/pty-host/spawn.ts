import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Home } from '../home/home.ts'
import type { LogLevel } from '../log/log.ts'

/**
 * Starts a pty-host process that outlives this one. It is ready when its socket answers. Calls `onExit` when it ends.
 */
export function spawnPtyHost(home: Home, logLevel: LogLevel, onExit: (code: number | null) => void): void {
  mkdirSync(home.logs, { recursive: true, mode: 0o700 })
  const log = openSync(ptyHostLog(home), 'a', 0o600)
  try {
    const child = spawn(process.execPath, [program, '--home', home.directory, '--log-level', logLevel], {
      detached: true,
      stdio: ['ignore', log, log],
      // Do not keep a directory busy that a user may want to unmount.
      cwd: '/',
      env: environment(),
    })
    child.once('error', () => onExit(null))
    child.once('exit', onExit)
    child.unref()
  } finally {
    closeSync(log)
  }
}

export const ptyHostLog = (home: Home): string => join(home.logs, 'pty-host.log')

// The program beside this one; in development, the program of the last build.
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/pty-host.js' : './pty-host.js', import.meta.url),
)

/**
 * Removes the mark: a pty-host that is started from within a session must not be swept as a process of that session.
 */
function environment(): NodeJS.ProcessEnv {
  const { MUXD_PROCESS: _, ...env } = process.env
  return env
}
