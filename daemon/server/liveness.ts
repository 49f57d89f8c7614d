import type { WebSocket } from 'ws'
import type { CloseCode, Limits } from '../../protocol/index.ts'
import type { SocketSink } from './socket-sink.ts'

/**
 * Checks a connection at each tick. Sends a heartbeat when it was idle, and pings. Closes with 4012 when pings are not
 * answered, and with 4008 when the peer does not take pending bytes. A peer that reads, however slowly, gets neither
 * code: a ping may wait in the kernel behind more bytes than a slow reader takes in `pongTimeoutMs`. Returns the
 * function to call at each tick.
 */
export function watchLiveness(options: {
  ws: WebSocket
  sink: SocketSink
  limits: Pick<Limits, 'heartbeatMs' | 'pongTimeoutMs' | 'stallTimeoutMs'>
  /** Time between two calls of the returned function. */
  tickMs: number
  unreadBytes(): Promise<number | undefined>
  heartbeat(): void
  close(code: CloseCode, reason: string): void
}): () => void {
  const { ws, sink, limits, tickMs, unreadBytes, heartbeat, close } = options
  // Counted in ticks, not by the clock, so that a sleep of the machine or a busy daemon does not make a peer late.
  let time = 0
  let takenBytes = 0
  let readBytes = 0
  let progressAt = 0
  let writes = 0
  let wroteAt = 0
  let pingedAt = 0
  // The bytes sent up to and including the first unanswered ping, and the time from which the peer could answer it.
  let pingedBytes = 0
  let unansweredSince: number | undefined
  ws.on('pong', () => {
    progressAt = time
    unansweredSince = undefined
  })

  const noteReading = async () => {
    // Read this first: bytes that are taken during the call would count as read.
    const taken = sink.takenBytes()
    const unread = await unreadBytes()
    if (unread === undefined || taken - unread <= readBytes) return
    readBytes = taken - unread
    progressAt = time
    // The peer has not reached the ping yet.
    if (unansweredSince !== undefined && readBytes < pingedBytes) unansweredSince = time
  }

  return () => {
    time += tickMs
    if (sink.writes() !== writes) {
      writes = sink.writes()
      wroteAt = time
    }
    if (sink.takenBytes() !== takenBytes || sink.unsentBytes() === 0) {
      takenBytes = sink.takenBytes()
      progressAt = time
    }
    if (time - progressAt >= limits.stallTimeoutMs) {
      return close(4008, `nothing was read for ${limits.stallTimeoutMs} ms while ${sink.unsentBytes()} bytes waited`)
    }
    if (sink.unsentBytes() > 0 || unansweredSince !== undefined) void noteReading()
    // A ping would queue behind unsent bytes, and a paused socket reads no pong: neither says anything about the peer.
    if (sink.unsentBytes() > 0 || ws.isPaused) {
      if (unansweredSince !== undefined) unansweredSince = time
      return undefined
    }
    if (unansweredSince !== undefined && time - unansweredSince >= limits.pongTimeoutMs) {
      return close(4012, `no pong for ${limits.pongTimeoutMs} ms`)
    }
    if (time - wroteAt >= limits.heartbeatMs) heartbeat()
    if (time - pingedAt < limits.heartbeatMs) return undefined
    pingedAt = time
    ws.ping()
    if (unansweredSince === undefined) {
      unansweredSince = time
      pingedBytes = sink.takenBytes()
    }
    return undefined
  }
}
