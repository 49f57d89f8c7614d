import { RpcError } from './rpc-error.ts'

/** By method: the object `at` that has renamed params of protocol 1, and their names in protocol 2. */
const renamed: Record<string, { at: string; now: Record<string, string> }> = {
  'session.create': { at: '', now: { claude: 'options', claudeSessionId: 'conversationId' } },
  'session.update': { at: '', now: { claudeSessionId: 'conversationId' } },
  'run.start': { at: 'create', now: { claude: 'options', claudeSessionId: 'conversationId' } },
}

/**
 * Returns the error for a call with a param of protocol 1, or undefined if the call has none. Other unknown params are
 * ignored, but these must not be: a session without its options could do more than its caller allowed.
 */
export function refuseRenamed(method: string, params: unknown): RpcError | undefined {
  const row = renamed[method]
  if (row === undefined) return undefined
  const { at, now } = row
  const fields = at === '' ? params : (params as Record<string, unknown>)[at]
  if (typeof fields !== 'object' || fields === null) return undefined
  const old = Object.keys(now).find(name => Object.hasOwn(fields, name))
  if (old === undefined) return undefined
  return new RpcError('invalid_params', `${method}: ${old} is called ${now[old]} since protocol 2`, {
    path: `${at && `/${at}`}/${old}`,
    expected: `no ${old}, but ${now[old]}`,
  })
}
