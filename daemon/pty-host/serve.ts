import { createServer, type Socket } from 'node:net'
import type { Log } from '../log/log.ts'
import { keepSocket } from '../os/keep-socket.ts'
import { listenUnix } from '../os/listen.ts'
import type { OwnProcess } from './held-process.ts'
import { InputClosed } from './pty-host.ts'
import type { InProcessPtyHost } from './in-process.ts'
import {
  type Answer,
  type FromPtyHost,
  type Hello,
  type PtyHostCall,
  ptyHostVersions,
  onMessages,
  type ProcessFacts,
  type Push,
  type Result,
  sendMessage,
} from './wire.ts'

export interface PtyHostServer {
  /**
   * Resolves when the pty-host should end: after a `close` call, or when it holds nothing and no daemon is attached.
   */
  readonly done: Promise<void>
  close(): Promise<void>
}

export interface ServeOptions {
  socketPath: string
  /** Creates the directory of the socket if it is missing. */
  openSockets?: () => void
  ptyHost: InProcessPtyHost
  /** Version of the program. */
  muxd: string
  log: Log
  /** How long it waits for a daemon while it has none and holds no process. Default 2 s. */
  idleGraceMs?: number
}

/** How long a new daemon waits for the pending calls of the earlier one before it is welcomed or refused. */
const handOverMs = 10_000

/** Serves a pty-host to one daemon at a time. Releases ended processes while no daemon is attached. */
export async function servePtyHost({
  socketPath,
  openSockets,
  ptyHost,
  muxd,
  log,
  idleGraceMs = 2_000,
}: ServeOptions): Promise<PtyHostServer> {
  const startedAt = Date.now()
  // Resolves when the current or last daemon has detached and its pending starts and releases are done.
  let previous: Promise<void> = Promise.resolve()
  let attached: Socket | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let finish: () => void
  const done = new Promise<void>(resolve => (finish = resolve))
  const grown = new Map<string, OwnProcess>()
  // Processes whose raw log cannot be written now. A daemon that attaches meanwhile gets these pushes.
  const stalled = new Map<string, Stalled>()
  let flushScheduled = false

  /**
   * While no daemon is attached, releases processes that have ended, and then ends the pty-host if it holds nothing.
   */
  const lookAfter = () => {
    clearTimeout(idleTimer)
    if (attached) return
    for (const process of ptyHost.list()) if (process.exited || process.ended) void process.release().then(lookAfter)
    if (ptyHost.list().length === 0) idleTimer = setTimeout(() => finish(), idleGraceMs)
  }

  const flushGrown = () => {
    flushScheduled = false
    if (!attached || attached.writableNeedDrain || grown.size === 0) return
    const all = [...grown.values()].map((held): [string, number, boolean] => [held.id, held.rawBytes, held.ended])
    grown.clear()
    sendMessage(attached, { grown: all })
  }

  const watch = (held: OwnProcess) => {
    held.onGrow(() => {
      grown.set(held.id, held)
      stalled.delete(held.id)
      if (!attached && (held.exited || held.ended)) lookAfter()
      if (flushScheduled) return
      flushScheduled = true
      setImmediate(flushGrown)
    })
    held.onStalled(error => {
      const { message, code } = error as NodeJS.ErrnoException
      stalled.set(held.id, { process: held.id, message, code })
      if (attached) sendMessage(attached, { stalled: stalled.get(held.id)! })
    })
  }

  const make = async (call: PtyHostCall): Promise<Result> => {
    if (call.call === 'start') {
      const started = await ptyHost.start(call.spec)
      watch(started)
      return facts(started)
    }
    if (call.call === 'close') {
      await ptyHost.close()
      return null
    }
    if (call.call === 'endLeft') {
      await ptyHost.endLeft(call.processes, call.left)
      return null
    }
    if (call.call === 'clear') return ptyHost.clear(call.process, call)
    const held = ptyHost.list().find(({ id }) => id === call.process)
    switch (call.call) {
      case 'write':
        if (!held) throw new InputClosed(`process ${call.process} has been released`)
        await held.writeLine(call.line, call.lineId)
        break
      case 'endInput':
        await held?.endInput()
        break
      case 'signal':
        await held?.signal(call.signal)
        break
      case 'kill':
        // Processes that it left behind may outlive it.
        if (held) await held.kill()
        else await ptyHost.clear(call.process, { spareDetached: false })
        break
      case 'note':
        await held?.note()
        break
      case 'release':
        await held?.release()
        break
    }
    return null
  }

  const answer = async (socket: Socket, { id, ...call }: PtyHostCall & { id: number }) => {
    let text: Answer
    try {
      text = { id, ok: await make(call) }
    } catch (error) {
      const { name, message } = error as Error
      text = { id, error: { name, message } }
    }
    if (!socket.destroyed) sendMessage(socket, text)
    if (call.call === 'close') finish()
  }

  const welcome = (socket: Socket, { hello }: Hello): boolean => {
    const version = Math.max(...hello.versions.filter(each => ptyHostVersions.includes(each)))
    const about = { muxd, pid: process.pid }
    const refuse = (why: string) => {
      socket.end(`${JSON.stringify({ refused: { ...about, versions: ptyHostVersions, why } } satisfies FromPtyHost)}\n`)
      return false
    }
    if (!Number.isFinite(version)) return refuse('no version in common')
    if (attached) return refuse('another daemon is attached')
    attached = socket
    ptyHost.spare(hello.pid)
    clearTimeout(idleTimer)
    grown.clear()
    sendMessage(socket, { welcome: { ...about, version, startedAt, processes: ptyHost.list().map(facts) } })
    for (const each of stalled.values()) sendMessage(socket, { stalled: each })
    log.info('a daemon is attached', { pid: hello.pid, muxd: hello.muxd, version })
    return true
  }

  const opened = (socket: Socket) => {
    let greeted: Promise<boolean> | undefined
    const underWay = new Set<Promise<void>>()
    const gone = new Promise<void>(resolve => socket.once('close', () => resolve()))
    socket.on('error', error => log.warn('the connection to the daemon failed', { error }))
    socket.on('drain', flushGrown)

    const greet = async (hello: Hello) => {
      const before = previous
      let timer: NodeJS.Timeout | undefined
      await Promise.race([before, new Promise(resolve => (timer = setTimeout(resolve, handOverMs)))])
      clearTimeout(timer)
      if (socket.destroyed || !welcome(socket, hello)) return false
      previous = gone.then(async () => {
        if (attached === socket) {
          attached = undefined
          ptyHost.spare(undefined)
        }
        log.info('the daemon has gone', { held: ptyHost.list().length })
        await Promise.all(underWay)
        lookAfter()
      })
      return true
    }
    onMessages(socket, message => {
      if (!greeted) {
        greeted = greet(message as Hello)
        return
      }
      const call = message as PtyHostCall & { id: number }
      void greeted.then(isWelcome => {
        if (!isWelcome) return
        const made = answer(socket, call)
        // The next daemon waits only for starts and releases. A written line may wait for its reader for ever.
        if (call.call !== 'start' && call.call !== 'release') return
        underWay.add(made)
        void made.finally(() => underWay.delete(made))
      })
    })
  }

  const listen = async () => {
    openSockets?.()
    const made = createServer(opened)
    await listenUnix(made, socketPath)
    return made
  }
  let server = await listen()
  const stopKeeping = keepSocket(
    socketPath,
    async () => {
      server.close()
      server = await listen()
      log.warn('the socket had vanished and was made again', { path: socketPath })
    },
    error => log.warn('the socket has vanished and cannot be made again', { path: socketPath, error }),
  )
  lookAfter()
  return {
    done,
    async close() {
      clearTimeout(idleTimer)
      stopKeeping()
      server.close()
      attached?.end()
      await ptyHost.close()
    },
  }
}

type Stalled = Extract<Push, { stalled: unknown }>['stalled']

const facts = ({ id, pid, commandPid, startedAt, rawBytes, ended, inputEnded }: OwnProcess): ProcessFacts => ({
  id,
  pid,
  commandPid,
  startedAt,
  rawBytes,
  ended,
  inputEnded,
})
