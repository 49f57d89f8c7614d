import { Socket } from 'node:net'

/** Returns the unsent bytes of all sockets of this process: of its servers, and of clients that run in it. */
export function unsentBytes(): number {
  const { _getActiveHandles: activeHandles } = process as unknown as { _getActiveHandles(): unknown[] }
  const sockets = activeHandles().filter(handle => handle instanceof Socket)
  return sockets.reduce((sum, socket) => sum + socket.writableLength, 0)
}
