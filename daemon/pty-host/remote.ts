import { setTimeout as delay } from 'node:timers/promises'
import type { Home } from '../home/home.ts'
import type { Log, LogLevel } from '../log/log.ts'
import { type Attachment, attach, PtyHostGone, PtyHostRefused } from './attachment.ts'
import { createGrowth, type Growth } from './growth.ts'
import { type HeldProcess, type PtyHost, SpawnFailed } from './pty-host.ts'
import { ptyHostLog, spawnPtyHost } from './spawn.ts'
import type { PtyHostCall, ProcessFacts, Push, Result } from './wire.ts'

/** The daemon's side of a pty-host in a process of its own. Starts that process if there is none. */
export interface RemotePtyHost extends PtyHost {
  status(): PtyHostStatus
  /** Detaches. The pty-host and its processes continue, and the next daemon finds them. */
  leave(): Promise<void>
}

export interface PtyHostStatus {
  /** `starting`: the pty-host's process is being started; `lost`: it could not be started. */
  state: 'connected' | 'starting' | 'lost'
  pid?: number
  startedAt?: number
  /** Version of the muxd that started it. */
  muxd?: string
}

export interface RemotePtyHostOptions {
  home: Home
  logLevel: LogLevel
  /** Version of this program. */
  muxd: string
  log: Log
}

const startTimeoutMs = 15_000
const pollMs = 10
const otherAnswersMs = 500

/**
 * Attaches to the pty-host of this home. Resolves when the held processes are known. Without a pty-host there are none:
 * then it resolves at once and starts a pty-host in the background. Rejects with `PtyHostRefused`.
 */
export async function createRemotePtyHost({ home, logLevel, muxd, log }: RemotePtyHostOptions): Promise<RemotePtyHost> {
  const held = new Map<string, RemoteProcess>()
  let closing = false
  let state: PtyHostStatus['state'] = 'starting'
  let welcome: Attachment['welcome'] | undefined
  let attached: Promise<Attachment>

  const take = (attachment: Attachment): Attachment => {
    state = 'connected'
    welcome = attachment.welcome
    attachment.onPush(push => pushed(held, push))
    void attachment.over.then(lost)
    log.info('attached to the pty-host', { pid: welcome.pid, muxd: welcome.muxd, held: welcome.processes.length })
    return attachment
  }
  const lost = () => {
    welcome = undefined
    if (closing) return
    log.error('the pty-host has died, and with it every process it held', { held: held.size })
    begin()
    for (const process of [...held.values()]) process.lose()
    held.clear()
  }
  /** Starts a pty-host in the background. Calls wait for it. */
  const begin = () => {
    state = 'starting'
    attached = start().then(take)
    attached.catch((error: unknown) => {
      state = 'lost'
      if (!closing) log.error('no pty-host could be started', { error })
    })
  }
  const start = async (): Promise<Attachment> => {
    let exited: { code: number | null; at: number } | undefined
    const spawn = () => {
      exited = undefined
      spawnPtyHost(home, logLevel, code => (exited = { code, at: Date.now() }))
    }
    spawn()
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await delay(pollMs)) {
      try {
        return await attach(home.ptyHostSocket, muxd)
      } catch (error) {
        if (!(error instanceof PtyHostGone)) throw error
      }
      if (exited && exited.code !== 0) break
      // A pty-host exits with 0 if another one is running, which answers soon. It also exits with 0 if no daemon has
      // attached in time, because this process was held up: then no pty-host is left, and another must be started.
      if (exited && Date.now() - exited.at > otherAnswersMs) spawn()
    }
    throw new SpawnFailed(`the pty-host's process did not start; its log: ${ptyHostLog(home)}`)
  }

  const call = async (what: PtyHostCall) => (await attached).call(what)
  const adopt = (facts: ProcessFacts): RemoteProcess => {
    const process = createRemoteProcess(facts, call, () => held.delete(facts.id))
    held.set(facts.id, process)
    return process
  }

  try {
    const found = take(await attach(home.ptyHostSocket, muxd))
    attached = Promise.resolve(found)
    found.welcome.processes.map(adopt)
  } catch (error) {
    if (error instanceof PtyHostRefused) throw error
    begin()
  }

  return {
    async start(spec) {
      if (closing) throw new SpawnFailed('the pty-host has been closed')
      // Retry for each process, so that one failed start of the pty-host is not final.
      if (state === 'lost') begin()
      let started: RemoteProcess | undefined
      try {
        const attachment = await attached
        await attachment.call({ call: 'start', spec }, facts => (started = adopt(facts as ProcessFacts)))
        return started!
      } catch (error) {
        if (error instanceof SpawnFailed) throw error
        throw new SpawnFailed((error as Error).message, { cause: error })
      }
    },
    list: () => [...held.values()],
    async clear(process, { spareDetached }) {
      const left = await ignoringGone(call({ call: 'clear', process, spareDetached }))
      return Array.isArray(left) ? left : []
    },
    async endLeft(processes, left) {
      await ignoringGone(call({ call: 'endLeft', processes, left }))
    },
    status: () => ({
      state,
      ...(welcome && { pid: welcome.pid, startedAt: welcome.startedAt, muxd: welcome.muxd }),
    }),
    async close() {
      if (closing) return
      closing = true
      const attachment = await attached.catch(() => undefined)
      await attachment?.call({ call: 'close' }).catch(() => {})
      await attachment?.over
      for (const process of [...held.values()]) process.lose()
      held.clear()
    },
    async leave() {
      if (closing) return
      closing = true
      const attachment = await attached.catch(() => undefined)
      attachment?.leave()
      await attachment?.over
    },
  }
}

interface RemoteProcess extends HeldProcess {
  readonly growth: Growth
  grown(rawBytes: number, ended: boolean): void
  stalled(error: Error): void
  /** Marks the process as lost: its pty-host has died. */
  lose(): void
}

function pushed(held: Map<string, RemoteProcess>, push: Push): void {
  if ('grown' in push) for (const [id, rawBytes, ended] of push.grown) held.get(id)?.grown(rawBytes, ended)
  // A newer pty-host may send pushes that this version does not know: ignore them.
  if ('stalled' in push) {
    const { process, message, code } = push.stalled
    held.get(process)?.stalled(Object.assign(new Error(message), { code }))
  }
}

function createRemoteProcess(
  facts: ProcessFacts,
  call: (call: PtyHostCall) => Promise<Result>,
  onReleased: () => void,
): RemoteProcess {
  const { id, pid, commandPid = pid, startedAt } = facts
  const growth = createGrowth()
  const stallListeners = new Set<(error: unknown) => void>()
  let { rawBytes, inputEnded } = facts
  let lost = false
  let released: Promise<void> | undefined
  if (facts.ended) growth.end(rawBytes)

  const release = async () => {
    await ignoringGone(call({ call: 'release', process: id }))
    // The terminal is closed, even if the push that says so has yet to arrive.
    if (!growth.ended) growth.end(rawBytes)
    onReleased()
  }
  return {
    id,
    pid,
    commandPid,
    startedAt,
    growth,
    get rawBytes() {
      return rawBytes
    },
    get inputEnded() {
      return inputEnded
    },
    get lost() {
      return lost
    },
    async writeLine(line, lineId) {
      await call({ call: 'write', process: id, line, ...(lineId !== undefined && { lineId }) })
    },
    async endInput() {
      inputEnded = true
      await ignoringGone(call({ call: 'endInput', process: id }))
    },
    async signal(signal) {
      await ignoringGone(call({ call: 'signal', process: id, signal }))
    },
    async note() {
      await ignoringGone(call({ call: 'note', process: id }))
    },
    // The next pty-host ends the processes that a dead one has left, so this call waits for it.
    async kill() {
      await ignoringGone(call({ call: 'kill', process: id }))
    },
    onGrow: listener => growth.on(listener),
    onStalled(listener) {
      stallListeners.add(listener)
      return () => stallListeners.delete(listener)
    },
    release: () => (released ??= release()),
    grown(bytes, ended) {
      rawBytes = bytes
      if (ended && !growth.ended) growth.end(bytes)
      else growth.tell(bytes)
    },
    stalled(error) {
      for (const listener of stallListeners) listener(error)
    },
    lose() {
      lost = true
      if (!growth.ended) growth.end(rawBytes)
    },
  }
}

/** Returns null if the pty-host is gone or could not be started: then there is nothing to end. */
async function ignoringGone(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof PtyHostGone || error instanceof SpawnFailed)) throw error
    return null
  }
}
