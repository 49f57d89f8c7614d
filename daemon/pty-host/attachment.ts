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

/** A pty-host's connection, from its welcome to its end. */
export interface Attachment {
  readonly welcome: Welcome['welcome']
  /**
   * Rejects with the pty-host's error, or with `PtyHostGone`. `onOk` is called before the next message is looked at, which
   * the promise is not: a push about a process may come right behind the answer that makes it known.
   */
  call(call: PtyHostCall, onOk?: (result: Result) => void): Promise<Result>
  /** Called for each push, from the first one after the welcome on. */
  onPush(listener: (push: Push) => void): void
  /** Resolves when the connection is over: the pty-host has ended, or `leave` was called. */
  readonly over: Promise<void>
  /** Goes, and leaves everything as it is. */
  leave(): void
}

/** There is no pty-host, or none any more. */
export class PtyHostGone extends Error {
  override readonly name = 'PtyHostGone'
}

/** There is a pty-host that this daemon cannot work with; the message says what to do. */
export class PtyHostRefused extends Error {
  override readonly name = 'PtyHostRefused'
}

/** A pty-host that waits for what an earlier daemon has under way answers after 10 s. */
const greetingMs = 30_000

/**
 * Rejects with `PtyHostGone` when nothing listens there. Rejects with `PtyHostRefused` when the pty-host refuses this daemon or
 * does not answer within `timeoutMs`: a pty-host that hangs may hold processes, and a second one must not start.
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
  // `close` follows and says enough.
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
