import type { CallId } from './envelope.ts'
import type { RpcError } from './rpc-error.ts'

/** Returns the text of an answer. Throws if the result is not JSON (a bug of its handler). */
export function resultText(id: CallId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`
}

/** `id` is null if the message was too broken to have one. */
export function errorText(id: CallId | null, { code, message, data }: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } })
}
