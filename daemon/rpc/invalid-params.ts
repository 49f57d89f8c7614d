import type { Method } from './method-table.ts'
import { firstMismatch } from './mismatch.ts'
import { paramName } from './param-name.ts'
import { RpcError } from './rpc-error.ts'

/** Says which value of the params is wrong and what belongs there. */
export function invalidParams(method: Method, params: unknown): RpcError {
  const mismatch = firstMismatch(method.params, params)
  if (mismatch === undefined) return new RpcError('invalid_params', `${method.name}: invalid params`, { path: '' })
  const { path, expected, value } = mismatch
  const where = path === '' ? 'params' : paramName(path)
  return new RpcError('invalid_params', `${method.name}: ${where} must be ${expected}, not ${shown(value)}`, {
    path,
    expected,
  })
}

/** The same without the details, which are costly to find. */
export function invalidParamsBriefly(): RpcError {
  return new RpcError('invalid_params', 'invalid params (too many bad messages of this connection: no details)')
}

// Shows enough of a value to recognise it, never the whole: it may be 4 MB, or a secret in the wrong place.
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value)
  return typeof value === 'string' && value.length > 60 ? `${text.slice(0, -1)}…" (${value.length} characters)` : text
}
