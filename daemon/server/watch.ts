import type { WebSocket } from 'ws'
import type { CloseCode, Limits } from '../../protocol/index.ts'
import type { SocketSink } from './socket-sink.ts'

/**
 * Looks after a connection that says nothing, at each beat: a heartbeat when it was idle, pings, 4012 when they are not
 * answered, 4008 when what waits to be sent is not taken. Whoever reads, however slowly, gets neither: a ping may lie
 * in the kernel behind more than a slow reader takes in the time it has for the answer. Returns the function to call
 * at each beat.
 */
export function watchConnection(options: {
  ws: WebSocket
  sink: SocketSink
  limits: Pick<Limits, 'heartbeatMs' | 'pongTimeoutMs' | 'stallTimeoutMs'>
  /** Time from one call of the result to the next. */
  beatMs: number
  unreadBytes(): Promise<number | undefined>
  heartbeat(): void
  close(code: CloseCode, reason: string): void
}): () => void {
  const { ws, sink, limits, beatMs, unreadBytes, heartbeat, close } = options
  // In beats, not by the clock: after a sleep of the machine, or while this process was busy, nobody is late.
  let time = 0
  let takenBytes = 0
  let readBytes = 0
  let progressAt = 0
  let writes = 0
  let wroteAt = 0
  let pingedAt = 0
  // What was sent up to and with the first ping that is not answered, and since when it could have been.
  let pingedBytes = 0
  let unansweredSince: number | undefined
  ws.on('pong', () => {
    progressAt = time
    unansweredSince = undefined
  })

  const noteReading = async () => {
    // Before the look: what is taken meanwhile would pass for read.
    const taken = sink.takenBytes()
    const unread = await unreadBytes()
    if (unread === undefined || taken - unread <= readBytes) return
    readBytes = taken - unread
    progressAt = time
    // It has not come as far as the ping.
    if (unansweredSince !== undefined && readBytes < pingedBytes) unansweredSince = time
  }

  return () => {
    time += beatMs
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
    // A ping would queue behind what is unsent, a pong is not read while we do not read: both say nothing of the peer.
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
