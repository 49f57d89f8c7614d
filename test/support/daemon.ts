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

/** A real daemon, as built, in a home of its own. */
export interface TestDaemon {
  home: string
  /** The home as seen from the test: another path where the daemon has a disk of its own. */
  seenHome: string
  info: DaemonInfo
  pid: number
  /** A client; closed with the test. */
  peer(name?: string, token?: string): Promise<RpcPeer>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** Resolves with the exit code when it ends by itself. */
  ended(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
  /** What it wrote to stderr. */
  log(): string
}

export const program = fileURLToPath(new URL('../../dist/daemon.js', import.meta.url))

/** In the environment of the daemon and of everything it starts: how a test finds what was left behind. */
const markerOf = (home: string) => `TEST_DAEMON=${home}`

export interface TestDaemonOptions {
  home?: string
  argv?: string[]
  env?: Record<string, string>
  config?: object
  /** A small disk of its own for the home, or for a directory in it: see `canMount`. */
  disk?: { bytes: number; at?: string }
  /** Another build of the daemon. */
  daemonProgram?: string
  /** The machine seems to have been started under this name: see `canMount`. */
  boot?: string
}

/**
 * Starts a daemon with the simulator (or with what `options` say) and waits until it listens. When the test ends it is
 * stopped, and nothing that it started may be left: no process and no PTY.
 */
export const startTestDaemon = (options: TestDaemonOptions = {}): Promise<TestDaemon> =>
  openTestDaemon(options.home ?? tempHome(), options, onTestFinished)

/**
 * One daemon for the tests of a file, which saves a second each. Call it at the top of the file or of a `describe`, and
 * what it returns within a test. For tests that neither end the daemon nor look at what others have left in it.
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
    // One that hangs is not to outlive its test.
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
    // Of a daemon that was killed and had no successor.
    for (const pid of ptyHostsOf(home)) process.kill(pid, 'SIGTERM')
    await nothingLeft(home)
  })
  return daemon
}

/** Whether a process may have mounts of its own here; if not, the tests that need it are skipped, saying so. */
export const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0

/** `command` in a mount namespace of its own, with a small disk where it is wanted. */
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

/** `command` where the kernel gives another boot id. */
function inBoot(boot: string, home: string, command: string[]) {
  writeFileSync(`${home}-boot`, `${boot}\n`)
  const mount = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'
  return ['unshare', '-rm', 'sh', '-c', mount, 'sh', `${home}-boot`, ...command]
}

/** A home directory that is gone after the test. */
export function tempHome(): string {
  const { path, remove } = createTempDir()
  onTestFinished(remove)
  return join(path, 'home')
}

/** Runs `muxd serve` where it is expected not to start. */
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

/** Pids of live processes that a daemon of this home started, itself included; but not the pty-host. */
export const processesOf = (home: string): number[] =>
  everyProcessOf(home).flatMap(found => (isPtyHost(found) ? [] : [found.pid]))

/** SIGKILL to the daemon and to everything it has started, at once: as when the machine goes down. */
export async function endAllOf(daemon: TestDaemon): Promise<void> {
  // The daemon first: it would clean up after the others. One may be gone before it is its turn.
  process.kill(daemon.pid, 'SIGKILL')
  for (const { pid } of everyProcessOf(daemon.home)) signalIfThere(pid, 'SIGKILL')
  await daemon.kill()
  await until(() => expect(everyProcessOf(daemon.home)).toEqual([]))
}

/** Pids of the live pty-hosts of this home: one, or none. */
export const ptyHostsOf = (home: string): number[] =>
  everyProcessOf(home).flatMap(found => (isPtyHost(found) ? [found.pid] : []))

const simulatorEnvironment = (home: string) => ({
  MUXD_SIMULATOR_HOME: `${home}-simulator`,
  MUXD_SIMULATOR_SPEED: '100',
  // Where the claims of conversations are.
  XDG_STATE_HOME: `${home}-state`,
})

async function nothingLeft(home: string) {
  await until(() => expect(everyProcessOf(home)).toEqual([]))
  if (existsSync(join(home, 'processes'))) {
    expect(readdirSync(join(home, 'processes')).filter(name => /\.(in|stderr|pid|tmp|options)$/.test(name))).toEqual([])
  }
}
