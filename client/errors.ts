import type { Actor, ErrorData, ErrorKind, Failure, RpcErrorObject } from '../protocol/index.ts'

/** The daemon refused a call: branch on `kind`; `data` holds what belongs to that kind. */
export class RpcError extends Error {
  override readonly name: string = 'RpcError'
  readonly kind: ErrorKind
  readonly code: number
  readonly data: ErrorData
  /** Whether the same call may succeed later without being changed. */
  readonly retryable: boolean

  constructor({ code, message, data }: RpcErrorObject, options?: ErrorOptions) {
    super(message, options)
    this.kind = data.kind
    this.code = code
    this.data = data
    this.retryable = data.retryable
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

interface Ended {
  run: string
  /** What had been said until then. */
  response: string
}

/** A run ended as `failed`: why is in `failure`. */
export class RunFailed extends Error implements Ended {
  override readonly name: string = 'RunFailed'
  readonly run: string
  readonly response: string
  readonly failure: Failure

  constructor({ run, response }: Ended, failure: Failure) {
    super(`${failure.title}: ${failure.detail}`)
    this.run = run
    this.response = response
    this.failure = failure
  }
}

/** A run ended as `cancelled`: who asked, and why if they said so. `by` is absent when that event is no longer kept. */
export class RunCancelled extends Error implements Ended {
  override readonly name: string = 'RunCancelled'
  readonly run: string
  readonly response: string
  readonly by: Actor | undefined
  readonly reason: string | undefined

  constructor({ run, response }: Ended, by?: Actor, reason?: string) {
    super(`cancelled${by ? ` by ${by.name}` : ''}${reason ? `: ${reason}` : ''}`)
    this.run = run
    this.response = response
    this.by = by
    this.reason = reason
  }
}

/** A run ended as `interrupted`: its process was lost without anybody having asked for it. */
export class RunInterrupted extends Error implements Ended {
  override readonly name: string = 'RunInterrupted'
  readonly run: string
  readonly response: string
  readonly reason: string | undefined

  constructor({ run, response }: Ended, reason?: string) {
    super(`interrupted${reason ? `: ${reason}` : ''}`)
    this.run = run
    this.response = response
    this.reason = reason
  }
}
