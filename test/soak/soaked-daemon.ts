import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DaemonInfo } from '../../protocol/index.ts'
import { processesWith } from '../support/processes.ts'
import { eventually } from './eventually.ts'

/** The built daemon with the simulator, in a home of its own, that is ended and started again as the soak likes. */
export interface SoakedDaemon {
  readonly home: string
  /** For temporary files of the daemon and of all that it starts. */
  readonly temporary: string
  readonly pid: number
  /** Begins anew after an end. Resolves once it listens. */
  start(): Promise<void>
  kill(): Promise<void>
  /** In order; rejects when it does not end well. */
  stop(): Promise<void>
  /** Pids of what it started and what lives on. */
  leftovers(): number[]
}

const program = fileURLToPath(new URL('../../dist/daemon.js', import.meta.url))
const startMs = 60_000

/** `onDied` is told of ends that nobody asked for. */
export function createSoakedDaemon(
  directory: string,
  { preload, onDied }: { preload?: string | undefined; onDied: (how: string) => void },
): SoakedDaemon {
  const home = join(directory, 'home')
  const temporary = join(directory, 'tmp')
  const marker = `TEST_DAEMON=${home}`
  for (const path of [home, temporary]) mkdirSync(path, { mode: 0o700 })
  writeFileSync(join(home, 'config.json'), JSON.stringify(config))
  let child: ChildProcess | undefined
  let isEnding = false

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    isEnding = true
    if (child!.exitCode !== null || child!.signalCode !== null) return child!.exitCode
    const exited = once(child!, 'exit') as Promise<[number | null]>
    child!.kill(signal)
    return (await exited)[0]
  }

  return {
    home,
    temporary,
    get pid() {
      return child!.pid!
    },
    async start() {
      isEnding = false
      const argv = [...(preload === undefined ? [] : ['--import', preload]), program, '--home', home, '--simulate']
      const started = spawn(process.execPath, [...argv, '--port', '0', '--log-to', 'file'], {
        env: {
          ...process.env,
          TMPDIR: temporary,
          MUXD_SIMULATOR_HOME: join(directory, 'simulator'),
          MUXD_SIMULATOR_SPEED: '20',
          TEST_DAEMON: home,
        },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      child = started
      started.once('exit', (code, signal) => {
        if (!isEnding) onDied(`the daemon ended by itself with ${signal ?? code}`)
      })
      await eventually('the daemon listens', startMs, () => {
        const info = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as DaemonInfo
        return info.pid === started.pid
      })
    },
    async kill() {
      await end('SIGKILL')
    },
    async stop() {
      const code = await end('SIGTERM')
      if (code !== 0) throw new Error(`the daemon that was told to stop ended with ${code}`)
    },
    leftovers: () =>
      processesWith(marker)
        .map(({ pid }) => pid)
        .filter(pid => pid !== child?.pid),
  }
}

/** Everything that takes its time takes little: a calm comes soon. */
const config = {
  checkResults: true,
  idleCloseMs: 500,
  cancelGraceMs: 400,
  resultGraceMs: 400,
  logMaxBytes: 64 * 1_024,
  logFiles: 3,
}
