import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DaemonInfo } from '../../../protocol/index.ts'
import { until } from '../../support/until.ts'

const program = fileURLToPath(new URL('../../../dist/daemon.js', import.meta.url))

const patienceMs = 60_000

export interface RunningDaemon extends DaemonInfo {
  /**
   * Stops the daemon in order, or by force when it does not react. Resolves with its exit code, and its warnings and
   * errors.
   */
  stop(): Promise<{ code: number | null; complaints: string[] }>
  /** Kills the daemon with SIGKILL. */
  kill(): Promise<void>
}

/** Starts the built daemon and waits until it listens. */
export async function startDaemon(
  home: string,
  options: string[],
  env: Record<string, string>,
): Promise<RunningDaemon> {
  const child = spawn(process.execPath, [program, '--home', home, '--port', '0', ...options], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk))
  const exited = once(child, 'exit') as Promise<[number | null]>
  const info = await until(
    () => {
      if (child.exitCode !== null) return undefined
      const found = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as DaemonInfo
      if (found.pid !== child.pid) throw new Error('the daemon.json of an earlier daemon')
      return found
    },
    { timeout: 60_000, interval: 20 },
  )
  if (!info) throw new Error(`the daemon ended at once:\n${log}`)
  return {
    ...info,
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    stop: async () => {
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), patienceMs)
      const [code] = await exited
      clearTimeout(force)
      const complaints = log.split('\n').filter(line => line !== '' && !/"level":"(?:info|debug)"/.test(line))
      return { code, complaints: complaints.map(line => line.slice(0, 500)) }
    },
  }
}
