import type { Socket } from 'node:net'
import { createLineSplitter } from './lines.ts'
import type { LeftIdentity, ProcessSpec } from './pty-host.ts'
import type { LeftProcess } from '../os/left-process.ts'

/**
 * The protocol between daemon and pty-host on the pty-host's Unix socket: one JSON object a line. The pty-host may be
 * older than the daemon, so changes only add to the messages; any other change needs a new version.
 *
 *   daemon ── hello ──▶ pty-host    the versions that the daemon supports
 *          ◀─ welcome ──            the version to use, and the held processes; or `refused`
 *          ── call ──▶              answered by `ok` or `error` with its `id`, not always in order
 *          ◀─ grown, stalled ──     at any time
 */
export const ptyHostVersions: readonly number[] = [1]

export interface Hello {
  hello: { versions: readonly number[]; muxd: string; pid: number }
}

export interface Welcome {
  welcome: { version: number; muxd: string; pid: number; startedAt: number; processes: ProcessFacts[] }
}
/** The last message of the connection. */
export interface Refused {
  refused: { versions: readonly number[]; muxd: string; pid: number; why: string }
}

/** The state of a held process. */
export interface ProcessFacts {
  id: string
  pid: number
  /** Absent if the pty-host is of an earlier version. */
  commandPid?: number
  startedAt: number
  rawBytes: number
  /** The terminal is closed. */
  ended: boolean
  /** The input was closed, so nothing can be written to the process. */
  inputEnded: boolean
}

export type PtyHostCall =
  | { call: 'start'; spec: ProcessSpec }
  | { call: 'write'; process: string; line: string; lineId?: string }
  | { call: 'endInput' | 'kill' | 'release' | 'note'; process: string }
  | { call: 'clear'; process: string; spareDetached: boolean }
  | { call: 'endLeft'; processes: readonly string[]; left: readonly LeftIdentity[] }
  | { call: 'signal'; process: string; signal: 'SIGINT' | 'SIGTERM' }
  /** Ends all held processes, then the pty-host itself. */
  | { call: 'close' }

/**
 * `start` returns the facts of the process, `clear` the processes that were left running, other calls null. A pty-host
 * of an earlier version answers null to calls that it does not know.
 */
export type Result = ProcessFacts | LeftProcess[] | null

export type Answer =
  | { id: number; ok: Result }
  /** `name` is the name of the error's class, for classes of `pty-host.ts`. */
  | { id: number; error: { name: string; message: string } }

/** Messages without a request. One `grown` push covers several processes and reads: only the last size counts. */
export type Push =
  | { grown: [process: string, rawBytes: number, ended: boolean][] }
  | { stalled: { process: string; message: string; code: string | undefined } }

export type ToPtyHost = Hello | (PtyHostCall & { id: number })
export type FromPtyHost = Welcome | Refused | Answer | Push

/** Calls `onMessage` for each message. A line that is not JSON ends the connection, because no valid peer sends one. */
export function onMessages(socket: Socket, onMessage: (message: unknown) => void): void {
  const splitter = createLineSplitter()
  socket.on('data', (chunk: Buffer) => {
    for (const { bytes } of splitter.push(chunk)) {
      let message: unknown
      try {
        message = JSON.parse(bytes.toString())
      } catch (error) {
        socket.destroy(error as Error)
        return
      }
      onMessage(message)
    }
  })
}

/**
 * Sends a message. Returns false if the socket buffers it because the peer is slow; `drain` follows when there is room.
 */
export function sendMessage(socket: Socket, message: ToPtyHost | FromPtyHost): boolean {
  return socket.write(`${JSON.stringify(message)}\n`)
}
