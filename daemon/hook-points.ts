/**
 * The places on an event's way at which a process may be killed and nothing be lost. A test names one, and how often it
 * is passed before, in MUXD_KILL_AT (`committed:3`); the process then ends itself there, as by SIGKILL from outside.
 *
 * - `appended`: the pty-host has appended bytes to the raw log, and told nobody
 * - `read`: the daemon has read them
 * - `gathered`: their events are with the journal
 * - `committed`: events and the process's checkpoint are in the database, and published to nobody
 * - `checkpointed`: the write-ahead log has been moved to the database
 * - `synced`: the end of a run is on the disk, and published to nobody
 * - `sent`: the pty-host has got a line for a process, and has not answered
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
 * The places at which an exception may be thrown and no other session may notice. A test names one, and for which frame or
 * session, in MUXD_THROW_AT (`handled:tool_progress`).
 *
 * - `translated`: a frame of this type is translated
 * - `handled`: a session does what a frame of this type asks for
 * - `restored`: a session with this id is restored
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
