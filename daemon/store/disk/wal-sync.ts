import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'
import { SyncFailed } from '../sqlite/errors.ts'

export interface WalSync {
  /**
   * Resolves when the content that the file had at the call is on the disk. Rejects with `SyncFailed`, as does every
   * later call.
   */
  sync(): Promise<void>
  /** The same, but synchronous. */
  syncNow(): void
  /** Makes every further sync fail with `reason`, because a sync by SQLite has failed. */
  refuse(reason: SyncFailed): void
  /** Whether a sync is under way, whose outcome is not known yet. */
  readonly busy: boolean
  close(): void
}

/**
 * Syncs SQLite's write-ahead log in Node's thread pool, so that the event loop continues meanwhile.
 *
 * Why this is enough: a commit writes its pages to the log before it returns, so a sync begun after it covers it. If a
 * checkpoint has moved pages to the database file in between, then SQLite (synchronous=NORMAL) has synced the log
 * before it did so, and syncs the database before it restarts the log. The log is never replaced while a connection is
 * open, only overwritten, so one descriptor serves permanently. SQLite holds its POSIX locks on the database and
 * `-shm`, not on the log, so closing this descriptor drops none.
 *
 * A sync that failed is never tried again: the kernel reports the failure to each descriptor once and marks the pages
 * as clean, so the next sync would succeed without them. (This is also how a failure that SQLite met and ignored is
 * found here.)
 */
export function openWalSync(file: string, onFailed: (error: SyncFailed) => void): WalSync {
  const descriptor = openSync(file, 'r')
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let closed = false
  let failure: SyncFailed | undefined

  function fail(cause: unknown): SyncFailed {
    failure = new SyncFailed(`${file} could not be synced to the disk: ${(cause as Error).message}`, { cause })
    onFailed(failure)
    return failure
  }

  function check() {
    if (failure !== undefined) throw failure
    if (closed) throw new Error('the store is closed')
  }

  function start(): Promise<void> {
    const sync = new Promise<void>((resolve, reject) => {
      fdatasync(descriptor, error => {
        running = undefined
        if (closed) closeSync(descriptor)
        if (error === null) resolve()
        else reject(fail(error))
      })
    })
    running = sync
    return sync
  }

  /** The sync under way may have begun before the caller's commit, so all calls meanwhile share the sync after it. */
  async function follow(previous: Promise<void>): Promise<void> {
    await previous.catch(() => undefined)
    next = undefined
    if (closed) throw new Error('the store was closed before it was synced')
    check()
    await start()
  }

  return {
    async sync() {
      check()
      if (running === undefined) return start()
      next ??= follow(running)
      return next
    },
    syncNow() {
      check()
      try {
        fdatasyncSync(descriptor)
      } catch (error) {
        throw fail(error)
      }
    },
    refuse(reason) {
      failure = reason
    },
    get busy() {
      return running !== undefined
    },
    close() {
      if (closed) return
      closed = true
      // A descriptor in use must not be closed: its number could belong to another file by then.
      if (running === undefined) closeSync(descriptor)
    },
  }
}
