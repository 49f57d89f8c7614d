import { DiskFull, type Store } from '../store/store.ts'

/** Does `work`, which frees space; where the disk is too full even for that, once more with the room kept for it. */
export async function withRoom<T>(store: Pick<Store, 'makeRoom'>, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DiskFull)) throw error
    store.makeRoom()
    return work()
  }
}
