/**
 * The points in the flow of events at which a process may be killed without any loss. A test names a point in
 * MUXD_KILL_AT and how many times the process passes it before (`committed:3`); then the process kills itself there
 * with SIGKILL.
 *
 * - `appended`: the pty-host has appended bytes to the raw log, and has not reported them
 * - `read`: the daemon has read them
 * - `gathered`: the journal has their events
 * - `committed`: the events and the process's checkpoint are in the database, but not published
 * - `checkpointed`: the write-ahead log has been moved to the database
 * - `synced`: the end of a run is synced to the disk, but not published
 * - `sent`: the daemon has sent a line for a process to the pty-host, and has no answer yet
 * - `published`: events have been written to the subscribers' sockets
 */
export type HookPoint =
  | 'appended'
  | 'read'
  | 'gathered'
  | 'committed'
  | 'checkpointed'
  | 'synced'
  | 'sent'
  | 'published'

/**
 * The points at which an exception may be thrown without an effect on other sessions. A test names a point and a frame
 * type or session id in MUXD_THROW_AT (`handled:tool_progress`).
 *
 * - `translated`: when a frame of this type is translated
 * - `handled`: when a session acts on a frame of this type
 * - `restored`: when the session with this id is restored
 */
export type ThrowPoint = 'translated' | 'handled' | 'restored'

const throwAt = process.env['MUXD_THROW_AT']

export function passThrowPoint(point: ThrowPoint, detail: unknown): void {
  if (throwAt !== undefined && throwAt === `${point}:${String(detail)}`) throw new TypeError(`thrown at ${throwAt}`)
}

const [name, count] = (process.env['MUXD_KILL_AT'] ?? '').split(':')
let left = Number(count ?? 0)

export function passHookPoint(point: HookPoint): void {
  if (point === name && left-- === 0) process.kill(process.pid, 'SIGKILL')
}
