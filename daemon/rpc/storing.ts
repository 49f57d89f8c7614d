import { RpcError } from './rpc-error.ts'

/** What keeps `work` from being stored becomes the caller's error. */
export function storing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storageError(error)
  }
}

/** What a caller did wrong stays what it is; anything else has kept something from being stored. */
export function storageError(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  const message = `it could not be stored: ${(error as Error).message}`
  return new RpcError('limit', message, { limit: 'disk', value: 0 }, { cause: error })
}
