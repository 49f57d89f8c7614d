import { type ErrorData, type ErrorKind, errors } from '../../protocol/errors.ts'

/**
 * A mistake of the caller, or a state that prevents the call. It becomes the `error` of the answer. Anything else that
 * a handler throws is a bug and is answered with `internal`.
 */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly kind: ErrorKind
  readonly details: Record<string, unknown>

  constructor(kind: ErrorKind, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.details = details
  }

  get code(): number {
    return errors[this.kind].code
  }

  get data(): ErrorData {
    return { kind: this.kind, retryable: errors[this.kind].retryable, ...this.details }
  }
}
