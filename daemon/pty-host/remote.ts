import { setTimeout as delay } from 'node:timers/promises'
import type { Home } from '../home/home.ts'
import type { Log, LogLevel } from '../log/log.ts'
import { type Attachment, attach, PtyHostGone, PtyHostRefused } from './attachment.ts'
import { createGrowth, type Growth } from './growth.ts'
import { type HeldProcess, type PtyHost, SpawnFailed } from './pty-host.ts'
import { ptyHostLog, spawnPtyHost } from './spawn.ts'
import type { PtyHostCall, ProcessFacts, Push, Result } from './wire.ts'

/** The daemon's side of a pty-host in a process of its own, which is started where there is none. */
export interface RemotePtyHost extends PtyHost {
  status(): PtyHostStatus
  /** Goes, and leaves everything as it is: the next daemon finds it. */
  leave(): Promise<void>
}

export interface PtyHostStatus {
  /** `starting`: its process is being started; `lost`: it could not be. */
  state: 'connected' | 'starting' | 'lost'
  pid?: number
  startedAt?: number
  /** Version of muxd that it was started by. */
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
 * Attaches to the pty-host of this home. Resolves when it is known what is held: at once where there is no pty-host, for
 * then nothing is, and one is started meanwhile. Rejects with `PtyHostRefused`.
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
  /** Starts a pty-host in the background; who needs it waits for it. */
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
      // One that found another pty-host there exits well, and that one answers soon. One that nobody came to, because this
      // process was held up, exits as well, and there is none.
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
      // Tried again for each process, so that a pty-host that could not be started once does not stay away.
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
  /** Its pty-host has died. */
  lose(): void
}

function pushed(held: Map<string, RemoteProcess>, push: Push): void {
  if ('grown' in push) for (const [id, rawBytes, ended] of push.grown) held.get(id)?.grown(rawBytes, ended)
  // Of a newer pty-host there may be pushes that mean nothing here.
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
    // Whatever the pty-host has yet to say of it, its terminal is closed.
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
    // What a dead pty-host has left is ended by the next one: it is waited for.
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

/** A pty-host that is gone has nothing left to be ended. */
async function ignoringGone(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof PtyHostGone || error instanceof SpawnFailed)) throw error
    return null
  }
}
