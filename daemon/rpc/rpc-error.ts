import { type ErrorData, type ErrorKind, errors } from '../../protocol/errors.ts'

/** A caller's mistake or a state that stands in the way: becomes the `error` of the answer. Anything else thrown by a handler is a bug and answers `internal`. */
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
