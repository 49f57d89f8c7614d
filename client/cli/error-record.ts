import { CommanderError } from 'commander'
import { RpcError, Unavailable } from '../sdk/index.ts'
import { Usage } from './exit.ts'
import { errorText } from './error-text.ts'

/** What `--json` prints of an error: the protocol's shape, with kinds of this program where no daemon answered. */
interface ErrorRecord {
  /** That of JSON-RPC; only in an answer of the daemon's. */
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

/** Known before the options are parsed: what is wrong with them is said in JSON as well. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}
