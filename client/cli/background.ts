import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { connect as connectTo, type NetConnectOpts } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { limits } from '../../protocol/limits.ts'
import { exitCodes } from './exit.ts'
import { diskProblem, homeProblem } from './home-problem.ts'
import { connect, type DaemonInfo, readDaemonInfo, Unavailable } from '../sdk/index.ts'

/** The daemon beside this program: its bundle, or in development its source. It exports `main(argv)`. */
export const daemonProgram = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? '../../daemon/main.ts' : './daemon.js', import.meta.url)

/**
 * Starts a daemon that outlives this program, and resolves once it answers. When another was faster that one is as good.
 * Rejects with `Unavailable` and its last words when it does not come up.
 */
export async function startInBackground(
  home: string,
  options: {
    /** Options of `muxd serve` beside home, port and log. */
    args?: string[]
    /** Where clients expect it. */
    port?: number
  } = {},
): Promise<DaemonInfo> {
  const words = await openLog(home)
  try {
    const firstTry = Date.now()
    let deadline = firstTry + patienceMs
    let child = await spawnDaemon(home, options, words.fd)
    for (;;) {
      await delay(50)
      const info = await readDaemonInfo(home)
      if (info && (await answers(info))) {
        // Another was faster. Ours would find the home taken, or free again: started late, it would outlive a stop.
        if (info.pid !== child.pid) child.end()
        return info
      }
      const { code } = child
      // It could not start: another may be coming up, or going down, in the same home or on the same port. That passes;
      // what is not configured right does not.
      if (code !== undefined) deadline = code === exitCodes.unavailable ? Math.min(deadline, firstTry + retryMs) : 0
      if (Date.now() > deadline) {
        throw new Unavailable(`the daemon did not start:\n${words.end()}\nits log: ${logDirectory(home)}`)
      }
      if (code !== undefined) {
        await delay(250)
        words.begin()
        child = await spawnDaemon(home, options, words.fd)
      }
    }
  } finally {
    words.close()
  }
}

interface Spawned {
  pid: number | undefined
  /** Once it has ended. */
  code: number | null | undefined
  end(): void
}

async function spawnDaemon(
  home: string,
  { args = [], port }: { args?: string[]; port?: number },
  output: number,
): Promise<Spawned> {
  // The port may be taken, by another user's daemon for one; who finds the daemon by its home does not care.
  const isFree = !(await isTaken(port ?? defaultPort))
  const listen = !isFree ? ['--port', '0'] : port === undefined ? [] : ['--port', String(port)]
  const serve = ['--home', home, '--log-to', 'file', ...listen, ...args]
  const argv = [...process.execArgv, fileURLToPath(daemonProgram()), ...serve]
  // Started from within a session, it must not be taken for something that the session left behind.
  const { MUXD_PROCESS: _, ...env } = process.env
  const child = spawn(process.execPath, argv, { detached: true, stdio: ['ignore', output, output], cwd: '/', env })
  child.unref()
  const spawned: Spawned = { pid: child.pid, code: undefined, end: () => void child.kill() }
  child.once('exit', code => (spawned.code = code))
  return spawned
}

export const logDirectory = (home: string): string => join(home, 'log')
const maxLastWordsBytes = 1024 * 1024
const patienceMs = 20_000
const retryMs = 4_000
const defaultPort = 7433

async function answers({ url, token }: DaemonInfo): Promise<boolean> {
  try {
    const mux = await connect({ url, token, answers: false, timing: { attemptMs: limits.helloTimeoutMs } })
    mux.close()
    return true
  } catch {
    return false
  }
}

const isTaken = (port: number) => isListenedTo({ port, host: '127.0.0.1' })

/** Whether a pty-host keeps the processes of a home alive: it does not stay for less once there is no daemon. */
export const holdsSessions = (home: string): Promise<boolean> => isListenedTo({ path: join(home, 'holder.sock') })

async function isListenedTo(where: NetConnectOpts): Promise<boolean> {
  const socket = connectTo(where)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function openLog(home: string): Promise<ReturnType<typeof openLastWords>> {
  const problem = await homeProblem(home)
  if (problem) throw new Unavailable(`${problem.detail}: ${problem.fix}`)
  try {
    mkdirSync(logDirectory(home), { recursive: true, mode: 0o700 })
    return openLastWords(home)
  } catch (error) {
    const full = await diskProblem(home).catch(() => undefined)
    const why = full ? `${full.detail}: ${full.fix}` : (error as Error).message
    throw new Unavailable(`the daemon did not start: ${why}`, { cause: error })
  }
}

/** Where a daemon prints what it says beside its log: why it did not start, how it crashed. Little, and of interest for a short time. */
function openLastWords(home: string): { fd: number; begin(): void; end(): string; close(): void } {
  const fd = openSync(join(logDirectory(home), 'daemon.err'), 'a+', 0o600)
  if (fstatSync(fd).size > maxLastWordsBytes) ftruncateSync(fd)
  let from = fstatSync(fd).size
  return {
    fd,
    /** Another daemon is tried: what the last one said is not said twice. */
    begin() {
      from = fstatSync(fd).size
    },
    /** What was printed since, at most its last two thousand bytes. */
    end() {
      const { size } = fstatSync(fd)
      const start = Math.max(from, size - 2_000)
      const buffer = Buffer.alloc(size - start)
      readSync(fd, buffer, 0, buffer.length, start)
      return buffer.toString().trim()
    },
    close: () => closeSync(fd),
  }
}
