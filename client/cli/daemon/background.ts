import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { connect as connectTo, type NetConnectOpts } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { limits } from '../../../protocol/limits.ts'
import { exitCodes } from '../errors/exit.ts'
import { diskProblem, homeProblem } from './home-problem.ts'
import { connect, type DaemonInfo, readDaemonInfo, Unavailable } from '../../sdk/index.ts'
import { socketDirectory } from '../../sdk/node/daemon-json.ts'

/** Returns the URL of the daemon's program: its bundle, or in development its source. It exports `main(argv)`. */
export const daemonProgram = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? '../../../daemon/main.ts' : './daemon.js', import.meta.url)

/**
 * Starts a daemon that outlives this program, and resolves when it answers. If another daemon of the home was faster,
 * resolves with that one. Rejects with `Unavailable` and the daemon's last output if none answers.
 */
export async function startInBackground(
  home: string,
  options: {
    /** Options of `muxd serve` besides home, port and log. */
    args?: string[]
    /** The port on which clients expect the daemon. */
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
        // Another daemon was faster. Ours would find the home locked, or find it free later and start after that daemon
        // was stopped.
        if (info.pid !== child.pid) child.end()
        return info
      }
      const { code } = child
      // Our daemon ended. If it was `unavailable`, another daemon may be starting or stopping in the same home or on
      // the same port, so try again for a while. A wrong configuration does not pass.
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
  /** The exit code: undefined while the process runs, null after a signal. */
  code: number | null | undefined
  end(): void
}

async function spawnDaemon(
  home: string,
  { args = [], port }: { args?: string[]; port?: number },
  output: number,
): Promise<Spawned> {
  // The port may be taken, for example by another user's daemon. Clients that find the daemon by its home do not depend
  // on the port.
  const isFree = !(await isTaken(port ?? defaultPort))
  const listen = !isFree ? ['--port', '0'] : port === undefined ? [] : ['--port', String(port)]
  const serve = ['--home', home, '--log-to', 'file', ...listen, ...args]
  const argv = [...process.execArgv, fileURLToPath(daemonProgram()), ...serve]
  // With the mark of a session in its environment, the daemon would count as a leftover process of that session.
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

/**
 * Whether a pty-host holds the processes of a home. Without a daemon, a pty-host runs only while it holds processes.
 */
export const holdsSessions = async (home: string): Promise<boolean> =>
  isListenedTo({ path: join(await socketDirectory(home), 'holder.sock') })

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

/**
 * Opens the file for the daemon's output outside its log: the reason why it did not start, or a crash. The output is
 * small and soon obsolete, so a large file is truncated.
 */
function openLastWords(home: string): { fd: number; begin(): void; end(): string; close(): void } {
  const fd = openSync(join(logDirectory(home), 'daemon.err'), 'a+', 0o600)
  if (fstatSync(fd).size > maxLastWordsBytes) ftruncateSync(fd)
  let from = fstatSync(fd).size
  return {
    fd,
    /** Call before another attempt, so that `end` omits the output of earlier ones. */
    begin() {
      from = fstatSync(fd).size
    },
    /** Returns the output since `begin`, at most its last 2,000 bytes. */
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
