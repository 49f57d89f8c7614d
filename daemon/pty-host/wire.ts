import type { Socket } from 'node:net'
import { createLineSplitter } from './lines.ts'
import type { LeftIdentity, ProcessSpec } from './pty-host.ts'
import type { LeftProcess } from '../os/left-process.ts'

/**
 * What daemon and pty-host say to each other over the pty-host's Unix socket: one JSON object a line. The pty-host may be
 * older than the daemon: what is here is only ever added to, and what cannot be added gets a new version.
 *
 *   daemon ── hello ──▶ pty-host      which versions it speaks
 *          ◀─ welcome ──            the one to be spoken, and what is held; or `refused`
 *          ── call ──▶              answered by `ok` or `error` under its `id`, not always in order
 *          ◀─ grown, stalled ──     at any time
 */
export const ptyHostVersions: readonly number[] = [1]

export interface Hello {
  hello: { versions: readonly number[]; muxd: string; pid: number }
}

export interface Welcome {
  welcome: { version: number; muxd: string; pid: number; startedAt: number; processes: ProcessFacts[] }
}
/** Nothing else follows. */
export interface Refused {
  refused: { versions: readonly number[]; muxd: string; pid: number; why: string }
}

/** What there is to know of a held process. */
export interface ProcessFacts {
  id: string
  pid: number
  /** Absent in what a pty-host of an earlier version says. */
  commandPid?: number
  startedAt: number
  rawBytes: number
  /** Its terminal is gone. */
  ended: boolean
  /** Nothing can be written to it any more: its input was closed. */
  inputEnded: boolean
}

export type PtyHostCall =
  | { call: 'start'; spec: ProcessSpec }
  | { call: 'write'; process: string; line: string; lineId?: string }
  | { call: 'endInput' | 'kill' | 'release' | 'note'; process: string }
  | { call: 'clear'; process: string; spareDetached: boolean }
  | { call: 'endLeft'; processes: readonly string[]; left: readonly LeftIdentity[] }
  | { call: 'signal'; process: string; signal: 'SIGINT' | 'SIGTERM' }
  /** Ends everything that is held, then the pty-host itself. */
  | { call: 'close' }

/** `start` answers what there is to know, `clear` what was left. A pty-host of an earlier version answers null to what it does not know. */
export type Result = ProcessFacts | LeftProcess[] | null

export type Answer =
  | { id: number; ok: Result }
  /** `name` is that of the error's class where `pty-host.ts` has one. */
  | { id: number; error: { name: string; message: string } }

/** Pushed without being asked. Growth over several processes and reads is told at once: only the last size counts. */
export type Push =
  | { grown: [process: string, rawBytes: number, ended: boolean][] }
  | { stalled: { process: string; message: string; code: string | undefined } }

export type ToPtyHost = Hello | (PtyHostCall & { id: number })
export type FromPtyHost = Welcome | Refused | Answer | Push

/** Hands over each message that arrives. One that is no JSON ends the connection: nobody else should be on it. */
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

/** False when the peer does not take it yet: it is kept, and `drain` tells when there is room again. */
export function sendMessage(socket: Socket, message: ToPtyHost | FromPtyHost): boolean {
  return socket.write(`${JSON.stringify(message)}\n`)
}
