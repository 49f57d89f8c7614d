import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, onTestFinished } from 'vitest'
import type { DaemonInfo } from '../../protocol/index.ts'
import { signalIfThere } from '../../daemon/pty-host/sweep.ts'
import { processesWith } from './processes.ts'
import { openPeer, type RpcPeer } from './rpc-peer.ts'
import { createTempDir } from './temp-dir.ts'
import { until } from './until.ts'

/** A real daemon, from the build, with its own home. */
export interface TestDaemon {
  home: string
  /** The home as the test sees it. The path differs when the daemon has its own disk. */
  seenHome: string
  info: DaemonInfo
  pid: number
  /** Opens a client that closes with the test. */
  peer(name?: string, token?: string): Promise<RpcPeer>
  /** Sends SIGTERM. Resolves with the exit code. */
  stop(): Promise<number | null>
  /** Resolves with the exit code when the daemon exits by itself. */
  ended(): Promise<number | null>
  /** Sends SIGKILL. */
  kill(): Promise<void>
  /** Everything that the daemon wrote to stderr. */
  log(): string
}

export const program = fileURLToPath(new URL('../../dist/daemon.js', import.meta.url))

/** The mark in the environment of the daemon and of all its descendants. Tests find leftover processes by it. */
const markerOf = (home: string) => `TEST_DAEMON=${home}`

export interface TestDaemonOptions {
  home?: string
  argv?: string[]
  env?: Record<string, string>
  config?: object
  /** Gives the home, or the directory `at` in it, a small disk of its own. Needs `canMount`. */
  disk?: { bytes: number; at?: string }
  /** The path of another build of the daemon. */
  daemonProgram?: string
  /** The boot id that the daemon reads. Needs `canMount`. */
  boot?: string
}

/**
 * Starts a daemon, by default with the simulator, and waits until it listens. When the test ends, stops the daemon and
 * checks that it left nothing behind: no process and no PTY.
 */
export const startTestDaemon = (options: TestDaemonOptions = {}): Promise<TestDaemon> =>
  openTestDaemon(options.home ?? tempHome(), options, onTestFinished)

/**
 * Shares one daemon between the tests of a file, which saves a second a test. Call it at the top of the file or of a
 * `describe`, and call the returned function within a test. For tests that neither end the daemon nor depend on what
 * other tests left in it.
 */
export function sharedTestDaemon(options: TestDaemonOptions = {}): () => TestDaemon {
  let daemon: TestDaemon
  beforeAll(async () => {
    const directory = createTempDir()
    let close = () => Promise.resolve()
    daemon = await openTestDaemon(join(directory.path, 'home'), options, end => (close = end))
    return async () => {
      await close()
      directory.remove()
    }
  })
  return () => daemon
}

async function openTestDaemon(
  home: string,
  options: TestDaemonOptions,
  atEnd: (close: () => Promise<void>) => void,
): Promise<TestDaemon> {
  const argv = options.argv ?? ['--simulate']
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const config = JSON.stringify({ checkResults: true, ...options.config })
  writeFileSync(join(home, 'config.json'), config)
  const serve = [process.execPath, options.daemonProgram ?? program, '--home', home, '--port', '0', ...argv]
  const booted = options.boot === undefined ? serve : inBoot(options.boot, home, serve)
  const [command, ...args] = options.disk ? onDiskOf(options.disk, home, config, booted) : booted
  const child = spawn(command!, args, {
    env: { ...process.env, ...simulatorEnvironment(home), ...options.env, TEST_DAEMON: home },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const exited = once(child, 'close') as Promise<[number | null]>
  const seenHome = options.disk ? `/proc/${child.pid}/root${home}` : home
  const info = await until(
    () => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined
      const found = JSON.parse(readFileSync(join(seenHome, 'daemon.json'), 'utf8')) as DaemonInfo
      if (found.pid !== child.pid) throw new Error('daemon.json is of an earlier daemon')
      return found
    },
    { timeout: 50_000, interval: 10 },
  ).catch(async (error: unknown) => {
    // A daemon that hangs must not outlive its test.
    child.kill('SIGKILL')
    await exited
    throw error
  })
  if (!info) throw new Error(`the daemon ended at once: ${log}`)

  const daemon: TestDaemon = {
    home,
    seenHome,
    info,
    pid: info.pid,
    async peer(name, token = info.token) {
      const peer = await openPeer(info.url, token, name)
      onTestFinished(() => peer.terminate())
      return peer
    },
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM')
      return (await exited)[0]
    },
    async ended() {
      return (await exited)[0]
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    log: () => log,
  }
  atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) expect(await daemon.stop(), log).toBe(0)
    // The pty-host of a daemon that was killed and had no successor.
    for (const pid of ptyHostsOf(home)) process.kill(pid, 'SIGTERM')
    await nothingLeft(home)
  })
  return daemon
}

/** Whether a process may have its own mounts here. Tests that need mounts are skipped otherwise, with a message. */
export const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0

/** Wraps `command` to run in its own mount namespace with a small disk. */
function onDiskOf(
  { bytes, at = '.' }: { bytes: number; at?: string },
  home: string,
  config: string,
  command: string[],
) {
  const mount = `mkdir -p -m 700 "$2" && mount -t tmpfs -o size=$1,mode=700 tmpfs "$2" &&
    printf %s "$4" >"$3/config.json" && shift 4 && exec "$@"`
  return ['unshare', '-rm', 'sh', '-c', mount, 'sh', String(bytes), join(home, at), home, config, ...command]
}

/** Wraps `command` so that the kernel reports another boot id. */
function inBoot(boot: string, home: string, command: string[]) {
  writeFileSync(`${home}-boot`, `${boot}\n`)
  const mount = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'
  return ['unshare', '-rm', 'sh', '-c', mount, 'sh', `${home}-boot`, ...command]
}

/** Returns the path of a new home directory, which is removed after the test. */
export function tempHome(): string {
  const { path, remove } = createTempDir()
  onTestFinished(remove)
  return join(path, 'home')
}

/** Runs `muxd serve` where it must fail to start. */
export async function failToStart(
  argv: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [program, ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}

const everyProcessOf = (home: string) => processesWith(markerOf(home))
const isPtyHost = ({ commandLine }: { commandLine: string }) => commandLine.includes('pty-host.js')

/** Returns the pids of the live processes that a daemon of this home started, and its own, without the pty-host. */
export const processesOf = (home: string): number[] =>
  everyProcessOf(home).flatMap(found => (isPtyHost(found) ? [] : [found.pid]))

/** Sends SIGKILL at once to the daemon and everything that it started, as if the machine went down. */
export async function endAllOf(daemon: TestDaemon): Promise<void> {
  // The daemon goes first, because it would clean up after the others. A process may have exited before its turn.
  process.kill(daemon.pid, 'SIGKILL')
  for (const { pid } of everyProcessOf(daemon.home)) signalIfThere(pid, 'SIGKILL')
  await daemon.kill()
  await until(() => expect(everyProcessOf(daemon.home)).toEqual([]))
}

/** Returns the pids of the live pty-hosts of this home: one or none. */
export const ptyHostsOf = (home: string): number[] =>
  everyProcessOf(home).flatMap(found => (isPtyHost(found) ? [found.pid] : []))

const simulatorEnvironment = (home: string) => ({
  MUXD_SIMULATOR_HOME: `${home}-simulator`,
  MUXD_SIMULATOR_SPEED: '100',
  // Conversation claims are stored here.
  XDG_STATE_HOME: `${home}-state`,
})

async function nothingLeft(home: string) {
  await until(() => expect(everyProcessOf(home)).toEqual([]))
  if (existsSync(join(home, 'processes'))) {
    expect(readdirSync(join(home, 'processes')).filter(name => /\.(in|stderr|pid|tmp|options)$/.test(name))).toEqual([])
  }
}
