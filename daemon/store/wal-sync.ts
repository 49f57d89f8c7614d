import { closeSync, fdatasync, openSync } from 'node:fs'
import { isNoSpace } from './sqlite.ts'
import { DiskFull } from './store.ts'

export interface WalSync {
  /** Resolves when what the file held at the call is on the disk. */
  sync(): Promise<void>
  close(): void
}

/**
 * Syncs SQLite's write-ahead log in Node's thread pool, so that the event loop goes on meanwhile.
 *
 * Why this is enough: a commit writes its pages to the log before it returns, so a sync begun after it covers it. If a
 * checkpoint has moved pages to the database file in between, then SQLite (synchronous=NORMAL) has synced the log
 * before it did so, and the database before it starts the log anew. The log is never replaced while a connection is
 * open, only overwritten, so one descriptor serves for good. And SQLite holds its POSIX locks on the database and
 * `-shm`, not on the log, so that closing this descriptor drops none.
 */
export function openWalSync(file: string): WalSync {
  const descriptor = openSync(file, 'r')
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let closed = false

  function start(): Promise<void> {
    const sync = new Promise<void>((resolve, reject) => {
      fdatasync(descriptor, error => {
        running = undefined
        if (closed) closeSync(descriptor)
        if (error === null) resolve()
        else reject(isNoSpace(error) ? new DiskFull(`the disk of ${file} is full`, { cause: error }) : error)
      })
    })
    running = sync
    return sync
  }

  /** The sync under way may have begun before the caller's commit: all who call meanwhile share the one after it. */
  async function follow(previous: Promise<void>): Promise<void> {
    await previous.catch(() => undefined)
    next = undefined
    if (closed) throw new Error('the store was closed before it was synced')
    await start()
  }

  return {
    async sync() {
      if (closed) throw new Error('the store is closed')
      if (running === undefined) return start()
      next ??= follow(running)
      return next
    },
    close() {
      if (closed) return
      closed = true
      // A descriptor in use must not be closed: its number could be another file's by then.
      if (running === undefined) closeSync(descriptor)
    },
  }
}
