import { DiskFull, type Store } from '../store/store.ts'

/**
 * Runs `work`, which frees space. If the disk is too full even for that, releases the reserved space and runs it again.
 */
export async function withRoom<T>(store: Pick<Store, 'makeRoom'>, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error
    store.makeRoom()
    return work()
  }
}
