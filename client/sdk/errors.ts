import type { Actor, ErrorData, ErrorKind, Failure, RpcErrorObject } from '../../protocol/index.ts'

/** The daemon refused a call. Branch on `kind`; `data` contains the details of that kind (`ErrorData`). */
export class RpcError extends Error {
  override readonly name: string = 'RpcError'
  declare readonly kind: ErrorKind
  declare readonly code: number
  declare readonly data: ErrorData
  /** Whether the same call may succeed later without being changed. */
  declare readonly retryable: boolean

  constructor({ code, message, data }: RpcErrorObject, options?: ErrorOptions) {
    super(message, options)
    const { kind, retryable } = data
    Object.assign(this, { kind, code, data, retryable })
  }
}

/**
 * There is no connection to the daemon: it cannot be reached, the connection was lost during a call, or it was closed.
 * `code` is the WebSocket close code, if there is one. Whether a lost call took effect is unknown. Calls with a `key`
 * are repeated on the next connection instead.
 */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable'
  readonly kind = 'unavailable'
  readonly retryable = true
  readonly code: number | undefined

  constructor(message: string, options: ErrorOptions & { code?: number } = {}) {
    super(message, options)
    this.code = options.code
  }
}

/** A run that did not end as `done`. */
class RunEnded extends Error {
  declare readonly run: string
  /** Claude's text until the end of the run. */
  declare readonly response: string

  constructor(message: string, ended: { run: string; response: string }) {
    super(message)
    Object.assign(this, ended)
  }
}

type Ended = ConstructorParameters<typeof RunEnded>[1]

/** A run ended as `failed`; `failure` says why. */
export class RunFailed extends RunEnded {
  override readonly name: string = 'RunFailed'
  declare readonly failure: Failure

  constructor(ended: Ended & { failure: Failure }) {
    super(`${ended.failure.title}: ${ended.failure.detail}`, ended)
  }
}

/**
 * A run ended as `cancelled`. `by` is the client that asked first, and `reason` the reason it gave. Both are absent if
 * the terminal event is no longer kept.
 */
export class RunCancelled extends RunEnded {
  override readonly name: string = 'RunCancelled'
  declare readonly by: Actor | undefined
  declare readonly reason: string | undefined

  constructor(ended: Ended & { by?: Actor | undefined; reason?: string | undefined }) {
    const { by, reason } = ended
    super(`cancelled${by ? ` by ${by.name}` : ''}${reason ? `: ${reason}` : ''}`, ended)
  }
}

/** A run ended as `interrupted`: its process was lost without a request to end the run. */
export class RunInterrupted extends RunEnded {
  override readonly name: string = 'RunInterrupted'
  declare readonly reason: string | undefined

  constructor(ended: Ended & { reason?: string | undefined }) {
    super(`interrupted${ended.reason ? `: ${ended.reason}` : ''}`, ended)
  }
}
