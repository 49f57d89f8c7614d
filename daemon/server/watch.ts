import type { WebSocket } from 'ws'
import type { CloseCode, Limits } from '../../protocol/index.ts'
import type { SocketSink } from './socket-sink.ts'

/**
 * Looks after a connection that says nothing, at each beat: a heartbeat when it was idle, pings, 4012 when they are not
 * answered, 4008 when what waits to be sent is not taken. Returns the function to call at each beat.
 */
export function watchConnection(options: {
  ws: WebSocket
  sink: SocketSink
  limits: Pick<Limits, 'heartbeatMs' | 'pongTimeoutMs' | 'stallTimeoutMs'>
  /** Time from one call of the result to the next. */
  beatMs: number
  heartbeat(): void
  close(code: CloseCode, reason: string): void
}): () => void {
  const { ws, sink, limits, beatMs, heartbeat, close } = options
  // In beats, not by the clock: after a sleep of the machine, or while this process was busy, nobody is late.
  let time = 0
  let progressMark = ''
  let progressAt = 0
  let writes = 0
  let wroteAt = 0
  let pingedAt = 0
  let unansweredSince: number | undefined
  ws.on('pong', () => {
    unansweredSince = undefined
  })

  return () => {
    time += beatMs
    if (sink.writes() !== writes) {
      writes = sink.writes()
      wroteAt = time
    }
    const mark = sink.progressMark()
    if (mark !== progressMark || sink.unsentBytes() === 0) {
      progressMark = mark
      progressAt = time
    }
    if (time - progressAt >= limits.stallTimeoutMs) {
      return close(4008, `nothing was read for ${limits.stallTimeoutMs} ms while ${sink.unsentBytes()} bytes waited`)
    }
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
    unansweredSince ??= time
    ws.ping()
    return undefined
  }
}
