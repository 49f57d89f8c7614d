import { once } from 'node:events'
import { connect } from 'node:net'
import { passHookPoint } from '../hook-points.ts'
import { InputClosed, SpawnFailed } from './pty-host.ts'
import {
  type Answer,
  type FromPtyHost,
  type PtyHostCall,
  ptyHostVersions,
  onMessages,
  type Push,
  type Result,
  sendMessage,
  type Welcome,
} from './wire.ts'

/** A connection to a pty-host, from its welcome to its end. */
export interface Attachment {
  readonly welcome: Welcome['welcome']
  /**
   * Resolves with the result. Rejects with the pty-host's error, or with `PtyHostGone`. `onOk` runs before the next
   * message is handled, whereas the promise resolves later: a push about a process may directly follow the answer that
   * announces the process.
   */
  call(call: PtyHostCall, onOk?: (result: Result) => void): Promise<Result>
  /** Sets the listener for pushes, which gets each push after the welcome. */
  onPush(listener: (push: Push) => void): void
  /** Resolves when the connection is closed: the pty-host has ended, or `leave` was called. */
  readonly over: Promise<void>
  /** Closes the connection. The pty-host and its processes continue. */
  leave(): void
}

/** No pty-host answers, or the connection to it has closed. */
export class PtyHostGone extends Error {
  override readonly name = 'PtyHostGone'
}

/** This daemon cannot work with the pty-host of the home; the message says what to do. */
export class PtyHostRefused extends Error {
  override readonly name = 'PtyHostRefused'
}

/** Longer than the 10 s that a pty-host waits for the pending calls of an earlier daemon before it answers. */
const greetingMs = 30_000

/**
 * Connects to the pty-host at `socketPath` and resolves after its welcome. Rejects with `PtyHostGone` when nothing
 * listens there. Rejects with `PtyHostRefused` when the pty-host refuses this daemon or does not answer within
 * `timeoutMs`: a pty-host that hangs may hold processes, and a second one must not start.
 */
export async function attach(socketPath: string, muxd: string, timeoutMs = greetingMs): Promise<Attachment> {
  const socket = connect(socketPath)
  const pending = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>()
  let lastId = 0
  let isOver = false
  let onPush = (_push: Push) => {}
  let greet: { resolve(welcome: Welcome['welcome']): void; reject(error: Error): void }
  const greeted = new Promise<Welcome['welcome']>((resolve, reject) => (greet = { resolve, reject }))
  const gone = () => new PtyHostGone(`the pty-host at ${socketPath} has gone`)
  const over = new Promise<void>(resolve => {
    socket.once('close', () => {
      isOver = true
      greet.reject(gone())
      for (const { reject } of pending.values()) reject(gone())
      pending.clear()
      resolve()
    })
  })
  // `close` follows each `error` and handles it.
  socket.on('error', () => {})

  const answered = (answer: Answer) => {
    const call = pending.get(answer.id)
    pending.delete(answer.id)
    if ('ok' in answer) call?.resolve(answer.ok)
    else call?.reject(errorOf(answer.error))
  }
  onMessages(socket, received => {
    const message = received as FromPtyHost
    if ('welcome' in message) greet.resolve(message.welcome)
    else if ('refused' in message) greet.reject(refusal(message.refused))
    else if ('id' in message) answered(message)
    else onPush(message)
  })

  try {
    await Promise.race([once(socket, 'connect'), greeted])
    sendMessage(socket, { hello: { versions: ptyHostVersions, muxd, pid: process.pid } })
    const silent = setTimeout(() => greet.reject(silence(socketPath, timeoutMs)), timeoutMs)
    const welcome = await greeted.finally(() => clearTimeout(silent))
    return {
      welcome,
      call(call, onOk) {
        if (isOver) return Promise.reject(gone())
        const id = ++lastId
        return new Promise((resolve, reject) => {
          const ok = (result: Result) => {
            onOk?.(result)
            resolve(result)
          }
          pending.set(id, { resolve: ok, reject })
          sendMessage(socket, { id, ...call })
          if (call.call === 'write') passHookPoint('sent')
        })
      },
      onPush(listener) {
        onPush = listener
      },
      over,
      leave: () => void socket.end(),
    }
  } catch (error) {
    socket.destroy()
    greeted.catch(() => {})
    if (error instanceof PtyHostRefused) throw error
    throw new PtyHostGone(`no pty-host answers at ${socketPath}`, { cause: error })
  }
}

const silence = (socketPath: string, timeoutMs: number) =>
  new PtyHostRefused(
    `the pty-host at ${socketPath} has not answered within ${timeoutMs / 1_000} s: it is stopped or hangs. It may hold sessions that run: ` +
      'let it go on, or end its process, and start the daemon again',
  )

function refusal({
  versions,
  muxd,
  pid,
  why,
}: {
  versions: readonly number[]
  muxd: string
  pid: number
  why: string
}) {
  return new PtyHostRefused(
    `the pty-host of this home (pid ${pid}, muxd ${muxd}) refuses this daemon: ${why}; it speaks versions ${versions.join(', ')}, ` +
      `this daemon ${ptyHostVersions.join(', ')}. It holds the sessions that run: stop it with the muxd that started it (muxd stop)`,
  )
}

function errorOf({ name, message }: { name: string; message: string }): Error {
  if (name === 'SpawnFailed') return new SpawnFailed(message)
  return name === 'InputClosed' ? new InputClosed(message) : new Error(message)
}
