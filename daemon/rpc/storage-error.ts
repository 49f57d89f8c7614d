import { isNoSpace } from '../os/system-error.ts'
import { DiskFull } from '../store/store.ts'
import { RpcError } from './rpc-error.ts'

const freeingSpace =
  'free space by deleting sessions (session.delete) or with muxd gc, which both work on a full disk, or remove other files'

/** Runs `work`. Throws an error of `work` as the `RpcError` of `storageError`. */
export function asStorageError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storageError(error)
  }
}

/** Returns an `RpcError` unchanged. Wraps any other error in a `limit` error that says that storing failed. */
export function storageError(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  const advice = error instanceof DiskFull || isNoSpace(error) ? `; ${freeingSpace}` : ''
  const message = `it could not be stored: ${(error as Error).message}${advice}`
  return new RpcError('limit', message, { limit: 'disk', value: 0 }, { cause: error })
}
