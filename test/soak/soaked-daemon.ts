import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from '../../client/sdk/index.ts'
import type { DaemonInfo } from '../../protocol/index.ts'
import { type FoundProcess, processesWith } from '../support/processes.ts'
import { eventually } from './eventually.ts'

/** The built daemon with the simulator in its own home. The soak ends and starts it at will. */
export interface SoakedDaemon {
  readonly home: string
  /** The directory for temporary files of the daemon and of everything that it starts. */
  readonly temporary: string
  readonly pid: number
  /** Starts a new process after an end. Resolves once it listens. */
  start(): Promise<void>
  kill(): Promise<void>
  /** Stops the daemon in order and ends its runs. Rejects when the exit code is not 0. */
  stop(): Promise<void>
  /** Stops the daemon in order while its runs continue. The caller starts the next one. */
  restart(): Promise<void>
  /** Pids of the processes that the daemon started and that still live, without the pty-host. */
  leftovers(): number[]
  ptyHosts(): number[]
}

const program = fileURLToPath(new URL('../../dist/daemon.js', import.meta.url))
const startMs = 60_000

/** Calls `onDied` when the daemon ends without being asked to. */
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

  const endInOrder = async (act: () => Promise<unknown>) => {
    isEnding = true
    const exited = once(child!, 'exit') as Promise<[number | null]>
    await act()
    const [code] = await exited
    if (code !== 0) throw new Error(`the daemon that was told to stop ended with ${code}`)
  }

  return {
    home,
    temporary,
    get pid() {
      return child!.pid!
    },
    async start() {
      isEnding = false
      const argv = [program, '--home', home, '--simulate', '--port', '0', '--log-to', 'file']
      const started = spawn(process.execPath, argv, {
        env: {
          ...process.env,
          TMPDIR: temporary,
          MUXD_SIMULATOR_HOME: join(directory, 'simulator'),
          MUXD_SIMULATOR_SPEED: '20',
          XDG_STATE_HOME: join(directory, 'state'),
          TEST_DAEMON: home,
          // The pty-host inherits the option from the daemon.
          ...(preload !== undefined && { NODE_OPTIONS: `--import ${preload}` }),
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
      isEnding = true
      if (child!.exitCode !== null || child!.signalCode !== null) return
      const exited = once(child!, 'exit')
      child!.kill('SIGKILL')
      await exited
    },
    stop: () => endInOrder(() => Promise.resolve(child!.kill('SIGTERM'))),
    restart: () =>
      endInOrder(async () => {
        const mux = await connect({ home })
        await mux.api.daemon.stop({ keepSessions: true, restart: true })
        mux.close()
      }),
    leftovers: () =>
      processesWith(marker).flatMap(found => (isPtyHost(found) || found.pid === child?.pid ? [] : [found.pid])),
    ptyHosts: () => processesWith(marker).flatMap(found => (isPtyHost(found) ? [found.pid] : [])),
  }
}

const isPtyHost = ({ commandLine }: FoundProcess) => commandLine.includes('pty-host.js')

/** Short waits, so that a calm comes soon. */
const config = {
  checkResults: true,
  idleCloseMs: 500,
  cancelGraceMs: 400,
  resultGraceMs: 400,
  logMaxBytes: 64 * 1_024,
  logFiles: 3,
}
