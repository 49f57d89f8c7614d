import type { Actor, ErrorData, ErrorKind, Failure, RpcErrorObject } from '../../protocol/index.ts'

/** The daemon refused a call: branch on `kind`; `data` holds what belongs to that kind. */
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
 * There is no connection to the daemon: it cannot be reached, was lost while a call was in flight, or was closed.
 * `code` is the WebSocket close code where there is one. Whether a call that was in flight took effect is not known,
 * unless it had a `key`: those are made again.
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
  /** What had been said until then. */
  declare readonly response: string

  constructor(message: string, ended: { run: string; response: string }) {
    super(message)
    Object.assign(this, ended)
  }
}

type Ended = ConstructorParameters<typeof RunEnded>[1]

/** A run ended as `failed`: why is in `failure`. */
export class RunFailed extends RunEnded {
  override readonly name: string = 'RunFailed'
  declare readonly failure: Failure

  constructor(ended: Ended & { failure: Failure }) {
    super(`${ended.failure.title}: ${ended.failure.detail}`, ended)
  }
}

/** A run ended as `cancelled`: who asked, and why if they said so. `by` is absent when that event is no longer kept. */
export class RunCancelled extends RunEnded {
  override readonly name: string = 'RunCancelled'
  declare readonly by: Actor | undefined
  declare readonly reason: string | undefined

  constructor(ended: Ended & { by?: Actor | undefined; reason?: string | undefined }) {
    const { by, reason } = ended
    super(`cancelled${by ? ` by ${by.name}` : ''}${reason ? `: ${reason}` : ''}`, ended)
  }
}

/** A run ended as `interrupted`: its process was lost without anybody having asked for it. */
export class RunInterrupted extends RunEnded {
  override readonly name: string = 'RunInterrupted'
  declare readonly reason: string | undefined

  constructor(ended: Ended & { reason?: string | undefined }) {
    super(`interrupted${ended.reason ? `: ${ended.reason}` : ''}`, ended)
  }
}
