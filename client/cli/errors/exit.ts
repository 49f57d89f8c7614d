import { CommanderError } from 'commander'
import { type Run, RpcError, type TerminalEvent, Unavailable } from '../../sdk/index.ts'

/** The exit codes of the program. 124 has the same meaning in `timeout`. */
export const exitCodes = { done: 0, failed: 1, usage: 2, unavailable: 3, timeout: 124, cancelled: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A mistake of the caller, with a message for them. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

export function exitCodeOfEnd(end: TerminalEvent['type'] | Run['state']): ExitCode {
  return end === 'done' ? exitCodes.done : end === 'cancelled' ? exitCodes.cancelled : exitCodes.failed
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Usage || error instanceof CommanderError) return exitCodes.usage
  if (error instanceof Unavailable) return exitCodes.unavailable
  if (!(error instanceof RpcError)) return exitCodes.failed
  if (error.kind === 'invalid_params') return exitCodes.usage
  return unavailableKinds.has(error.kind) ? exitCodes.unavailable : exitCodes.failed
}

const unavailableKinds = new Set<RpcError['kind']>(['agent_unavailable', 'unsupported_version', 'overloaded'])
