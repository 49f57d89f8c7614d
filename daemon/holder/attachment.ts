import { once } from 'node:events'
import { connect } from 'node:net'
import { passHookPoint } from '../hook-points.ts'
import { InputClosed, SpawnFailed } from './holder.ts'
import {
  type Answer,
  type FromHolder,
  type HolderCall,
  holderVersions,
  onMessages,
  type Push,
  type Result,
  sendMessage,
  type Welcome,
} from './wire.ts'

/** A holder's connection, from its welcome to its end. */
export interface Attachment {
  readonly welcome: Welcome['welcome']
  /**
   * Rejects with the holder's error, or with `HolderGone`. `onOk` is called before the next message is looked at, which
   * the promise is not: a push about a process may come right behind the answer that makes it known.
   */
  call(call: HolderCall, onOk?: (result: Result) => void): Promise<Result>
  /** Called for each push, from the first one after the welcome on. */
  onPush(listener: (push: Push) => void): void
  /** Resolves when the connection is over: the holder has ended, or `leave` was called. */
  readonly over: Promise<void>
  /** Goes, and leaves everything as it is. */
  leave(): void
}

/** There is no holder, or none any more. */
export class HolderGone extends Error {
  override readonly name = 'HolderGone'
}

/** There is a holder that this daemon cannot work with; the message says what to do. */
export class HolderRefused extends Error {
  override readonly name = 'HolderRefused'
}

/** A holder that waits for what an earlier daemon has under way answers after 10 s. */
const greetingMs = 30_000

/**
 * Rejects with `HolderGone` when nothing listens there. Rejects with `HolderRefused` when the holder refuses this daemon or
 * does not answer within `timeoutMs`: a holder that hangs may hold processes, and a second one must not start.
 */
export async function attach(socketPath: string, muxd: string, timeoutMs = greetingMs): Promise<Attachment> {
  const socket = connect(socketPath)
  const pending = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>()
  let lastId = 0
  let isOver = false
  let onPush = (_push: Push) => {}
  let greet: { resolve(welcome: Welcome['welcome']): void; reject(error: Error): void }
  const greeted = new Promise<Welcome['welcome']>((resolve, reject) => (greet = { resolve, reject }))
  const gone = () => new HolderGone(`the holder at ${socketPath} has gone`)
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
    const message = received as FromHolder
    if ('welcome' in message) greet.resolve(message.welcome)
    else if ('refused' in message) greet.reject(refusal(message.refused))
    else if ('id' in message) answered(message)
    else onPush(message)
  })

  try {
    await Promise.race([once(socket, 'connect'), greeted])
    sendMessage(socket, { hello: { versions: holderVersions, muxd, pid: process.pid } })
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
    if (error instanceof HolderRefused) throw error
    throw new HolderGone(`no holder answers at ${socketPath}`, { cause: error })
  }
}

const silence = (socketPath: string, timeoutMs: number) =>
  new HolderRefused(
    `the holder at ${socketPath} has not answered within ${timeoutMs / 1_000} s: it is stopped or hangs. It may hold sessions that run: ` +
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
  return new HolderRefused(
    `the holder of this home (pid ${pid}, muxd ${muxd}) refuses this daemon: ${why}; it speaks versions ${versions.join(', ')}, ` +
      `this daemon ${holderVersions.join(', ')}. It holds the sessions that run: stop it with the muxd that started it (muxd stop)`,
  )
}

function errorOf({ name, message }: { name: string; message: string }): Error {
  if (name === 'SpawnFailed') return new SpawnFailed(message)
  return name === 'InputClosed' ? new InputClosed(message) : new Error(message)
}
