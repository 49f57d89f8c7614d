import { WebSocket } from 'ws'
import type { Socket } from '../platform.ts'

/** The one place that knows `ws`. */
export function openSocket(url: string, protocols: string[]): Socket {
  const socket = new WebSocket(url, protocols, options)
  let isOpen = false
  socket.once('open', () => (isOpen = true))
  // A browser cannot see why an upgrade was refused; here it is as good as the close code for the same.
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
  // A connection that was never made has not been lost: its end names what stood in the way. Behind the caller's listener,
  // which keeps the error as the cause.
  queueMicrotask(() =>
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isOpen) return
      socket.emit('close', 1006, Buffer.from(wordsOf[error.code ?? ''] ?? error.message))
    }),
  )
  return socket
}

/** What the system says of an attempt to connect, for people. */
const wordsOf: Record<string, string> = {
  ECONNREFUSED: 'connection refused: no daemon listens there',
  ENOTFOUND: 'no host has this name',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
}

// closeTimeout (unknown to @types/ws): a peer that does not answer a close holds the process no longer than this.
const options = { perMessageDeflate: false, closeTimeout: 1_000 }

const closeCodeOf: Record<number, number> = { 400: 4503, 401: 4501, 403: 4501, 426: 4503 }

/** The daemon says why in JSON; what else may answer there says it as it likes. */
function reasonIn(body: string): string {
  try {
    return (JSON.parse(body) as { error?: string }).error ?? body
  } catch {
    return body.trim()
  }
}
