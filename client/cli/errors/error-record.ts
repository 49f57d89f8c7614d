import { CommanderError } from 'commander'
import { RpcError, Unavailable } from '../../sdk/index.ts'
import { Usage } from './exit.ts'
import { errorText } from './error-text.ts'

/**
 * The JSON of an error for `--json`, in the protocol's shape. Errors without a daemon's answer have kinds of this
 * program (`unavailable`, `usage`, `failed`).
 */
interface ErrorRecord {
  /** The JSON-RPC code; only for an error that the daemon answered. */
  code?: number
  message: string
  data: { kind: string; retryable: boolean } & Record<string, unknown>
}

export function errorRecord(error: unknown): ErrorRecord {
  const message = errorText(error)
  if (error instanceof RpcError) return { code: error.code, message, data: { ...error.data } }
  if (error instanceof Unavailable) return { message, data: { kind: 'unavailable', retryable: true } }
  const isUsage = error instanceof Usage || error instanceof CommanderError
  return { message, data: { kind: isUsage ? 'usage' : 'failed', retryable: false } }
}

/**
 * Whether the arguments contain `--json`. Needs no parsed options, so that errors in the options are printed as JSON
 * too.
 */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}
