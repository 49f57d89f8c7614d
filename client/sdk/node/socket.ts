import { WebSocket } from 'ws'
import type { Socket } from '../platform.ts'

/** Opens a WebSocket with `ws`, which only this file imports. */
export function openSocket(url: string, protocols: string[]): Socket {
  const socket = new WebSocket(url, protocols, options)
  let isOpen = false
  socket.once('open', () => (isOpen = true))
  // A refused upgrade becomes the close code for the same cause. Browsers cannot see the cause.
  socket.on('unexpected-response', (request, response) => {
    const code = closeCodeOf[response.statusCode ?? 0] ?? 1006
    response.setEncoding('utf8')
    let body = ''
    response.on('data', (text: string) => (body = (body + text).slice(0, 500)))
    response.on('close', () => {
      socket.emit('close', code, Buffer.from(`${response.statusCode} ${reasonIn(body)}`))
      request.destroy()
    })
  })
  // If the connection was never open, the close event names the cause. This listener comes after the caller's, which
  // keeps the error as the `cause`.
  queueMicrotask(() =>
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isOpen) return
      socket.emit('close', 1006, Buffer.from(wordsOf[error.code ?? ''] ?? error.message))
    }),
  )
  return socket
}

/** Descriptions of the system's connection errors, for people. */
const wordsOf: Record<string, string> = {
  ECONNREFUSED: 'connection refused: no daemon listens there',
  ENOTFOUND: 'no host has this name',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
}

// closeTimeout (missing in @types/ws) bounds how long a peer that does not answer a close keeps this process running.
const options = { perMessageDeflate: false, closeTimeout: 1_000 }

const closeCodeOf: Record<number, number> = { 400: 4503, 401: 4501, 403: 4501, 426: 4503 }

/** Returns the cause in a refusal's body. The daemon answers JSON; another server may answer anything. */
function reasonIn(body: string): string {
  try {
    return (JSON.parse(body) as { error?: string }).error ?? body
  } catch {
    return body.trim()
  }
}
