import { limits, type Request, Request as RequestSchema } from '../../protocol/index.ts'
import { Compile } from 'typebox/compile'
import { RpcError } from './rpc-error.ts'

export type CallId = string | number

/** A text message: a call, which is answered, a notification, which never is, or neither. */
export type Envelope =
  | { kind: 'call'; id: CallId; method: string; params: unknown }
  | { kind: 'notification'; method: string; params: unknown }
  | { kind: 'refused'; id: CallId | null; error: RpcError }

const request = Compile(RequestSchema)

/** Reads the JSON-RPC envelope of a message. Never throws. */
export function readEnvelope(text: string): Envelope {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (error) {
    return refused(null, new RpcError('parse_error', `this is no JSON: ${(error as Error).message.slice(0, 200)}`))
  }
  // Code that walks a value recursively would need a stack frame for each level.
  if (isDeeper(message, limits.maxMessageDepth)) {
    const most = limits.maxMessageDepth
    return refused(idOf(message), new RpcError('invalid_request', `a message may be nested ${most} levels deep`))
  }
  if (request.Check(message)) {
    const { id, method, params = {} } = message
    return id === undefined ? { kind: 'notification', method, params } : { kind: 'call', id, method, params }
  }
  return refused(idOf(message), new RpcError('invalid_request', whatIsWrong(message)))
}

const refused = (id: CallId | null, error: RpcError): Envelope => ({ kind: 'refused', id, error })

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  // Does not build an array of the values, most of which are no objects.
  for (const name in value) if (isDeeper((value as Record<string, unknown>)[name], levels - 1)) return true
  return false
}

// The answer to a broken call carries the id of the call, if it has a valid one.
function idOf(message: unknown): CallId | null {
  const id = typeof message === 'object' && message !== null ? (message as Partial<Request>).id : null
  return (typeof id === 'string' && id.length <= 200) || Number.isInteger(id) ? (id as CallId) : null
}

function whatIsWrong(message: unknown): string {
  if (Array.isArray(message)) return 'batches (JSON arrays) are not supported: send one message each'
  if (typeof message !== 'object' || message === null) return 'a message is a JSON object'
  const { jsonrpc, method, id } = message as Record<string, unknown>
  if (jsonrpc !== '2.0') return 'jsonrpc must be "2.0"'
  if (typeof method !== 'string' || method.length > 200) return 'method must be a string of at most 200 characters'
  return `id must be a string of at most 200 characters or an integer, not ${id === null ? 'null' : typeof id}`
}
