import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import type { Limits } from '../../protocol/limits.ts'
import { subprotocol } from '../../protocol/messages.ts'
import { type Authenticate, type Entry, isRefusal } from './authenticate.ts'
import type { Transport } from './origin-check.ts'
import { type Refusal, subprotocolsOf } from './checks.ts'
import { pathOf, refuseUpgrade } from './http.ts'

/** An accepted WebSocket and its underlying socket, to which the daemon writes frames directly. */
export interface Admitted {
  ws: WebSocket
  socket: Socket
  entry: Entry
}

/** Turns upgrade requests into WebSockets, after the checks. */
export function createUpgrades(options: {
  authenticate: Authenticate
  /** Returns why no further connection is accepted; undefined if one is. */
  fullness: (entry: Entry) => string | undefined
  limits: Pick<Limits, 'maxMessageBytes' | 'maxMessagePieces' | 'closeTimeoutMs'>
  opened(admitted: Admitted): void
}): (transport: Transport) => (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { authenticate, fullness, limits, opened } = options
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Loopback is faster than any compression. Without compression ws has no queue of its own, so that frames that the
    // daemon and ws (pongs, close) write to the socket never interleave.
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    maxFragments: limits.maxMessagePieces,
    maxBufferedChunks: limits.maxMessagePieces,
    handleProtocols: () => subprotocol,
    closeTimeout: limits.closeTimeoutMs,
  } as ServerOptions)

  return transport => (request, socket, head) => {
    const entry = authenticate(request, transport)
    if (isRefusal(entry)) return refuseUpgrade(socket, entry)
    const refusal = refusalOf(request, entry)
    if (refusal !== undefined) return refuseUpgrade(socket, refusal)
    server.handleUpgrade(request, socket, head, ws => opened({ ws, socket: socket as Socket, entry }))
  }

  function refusalOf(request: IncomingMessage, entry: Entry): Refusal | undefined {
    const full = fullness(entry)
    if (full !== undefined) return { status: 503, message: full }
    if (pathOf(request) !== '/ws') return { status: 404, message: 'the WebSocket is at /ws' }
    if (subprotocolsOf(request.headers).includes(subprotocol)) return undefined
    return { status: 400, message: `the subprotocol ${subprotocol} must be offered` }
  }
}
