/**
 * The closed table of errors. Programs branch on an error's `kind`. `code` is its JSON-RPC number. `retryable` says
 * whether the same call may succeed later without a change. Messages are for people: they name the thing and the value,
 * and no program parses them.
 */
export const errors = {
  parse_error: { code: -32700, retryable: false },
  invalid_request: { code: -32600, retryable: false },
  unknown_method: { code: -32601, retryable: false },
  invalid_params: { code: -32602, retryable: false },
  internal: { code: -32603, retryable: false },
  overloaded: { code: -32001, retryable: true },
  not_ready: { code: -32002, retryable: false },
  forbidden: { code: -32003, retryable: false },
  not_found: { code: -32004, retryable: false },
  unsupported_version: { code: -32005, retryable: false },
  conflict: { code: -32006, retryable: false },
  agent_unavailable: { code: -32007, retryable: false },
  limit: { code: -32009, retryable: false },
  unusable: { code: -32010, retryable: false },
} as const

export type ErrorKind = keyof typeof errors

/**
 * The `error.data` of every failed call. Besides `kind` and `retryable` it contains, by kind:
 *
 * - `invalid_params`: `path` (JSON pointer of the value) and `expected`
 * - `internal`: `id`, under which the daemon's log has the details
 * - `unsupported_version`: `supported` (protocol versions) and `update` (the side to update: `client` or `daemon`)
 * - `conflict`: what stands in the way: `url`/`pid`, `key`, `run`, `state`, `session`, `pid`/`home`, `claim`,
 *   `backgroundTasks`, `workspace`/`revision`, or `approval`, `by` and `decision`
 * - `agent_unavailable`: `agent` (its kind), `tried` (paths) and `install` (how to install)
 * - `limit` and `overloaded`: `limit` (its name) and `value`
 * - `unusable`: `session`, and `reason` and `at` of its record
 */
export interface ErrorData {
  kind: ErrorKind
  retryable: boolean
  [detail: string]: unknown
}

/** The close codes of the daemon, and whether a client should reconnect after each. */
export const closeCodes = {
  1009: { name: 'message_too_big', reconnect: false },
  4000: { name: 'shutting_down', reconnect: true },
  4001: { name: 'restarting', reconnect: true },
  4008: { name: 'too_slow', reconnect: true },
  4012: { name: 'no_pong', reconnect: true },
  4500: { name: 'bad_message', reconnect: false },
  4501: { name: 'unauthorized', reconnect: false },
  4503: { name: 'unsupported_version', reconnect: false },
  4506: { name: 'no_hello', reconnect: false },
} as const

export type CloseCode = keyof typeof closeCodes
