import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Sink } from '../topics/delivery/delivery.ts'

/** Writes complete frames to a WebSocket's socket, and counts writes and bytes for `liveness.ts`. */
export interface SocketSink extends Sink {
  /** Number of writes so far. */
  writes(): number
  /** Bytes that the operating system has taken so far. */
  takenBytes(): number
}

export function socketSink(options: { ws: WebSocket; socket: Socket; onFault(error: unknown): void }): SocketSink {
  const { ws, socket, onFault } = options
  let writes = 0
  return {
    unsentBytes: () => socket.writableLength,
    write(chunks, onWritten) {
      // Nothing may follow a close frame.
      if (ws.readyState !== ws.OPEN) return
      writes++
      if (chunks.length === 1) {
        socket.write(chunks[0]!, onWritten)
        return
      }
      socket.cork()
      for (const [index, chunk] of chunks.entries()) {
        if (index === chunks.length - 1) socket.write(chunk, onWritten)
        else socket.write(chunk)
      }
      socket.uncork()
    },
    fault: onFault,
    writes: () => writes,
    takenBytes: () => takenBytes(socket),
  }
}

// No public API shows the progress of a large pending write. Node's own socket timeout reads the same fields.
function takenBytes(socket: Socket): number {
  const { _handle: handle } = socket as unknown as {
    _handle?: { bytesWritten: number; writeQueueSize: number } | null
  }
  return handle ? handle.bytesWritten - handle.writeQueueSize : 0
}
