import { passHookPoint } from '../../hook-points.ts'
import { SyncFailed, type Store } from '../store.ts'
import { commitBatch, type Outcome } from './commit-batch.ts'
import { createDurabilityGate } from './durability-gate.ts'
import type { JournalEntry } from './entry.ts'
import { attempt, publish, type Publisher } from './publish.ts'
import { createPublishedView, type PublishedView } from './published-view.ts'

/**
 * The only way into the log: commit, then publish. The entries of all sessions in one event-loop turn are committed in
 * one transaction. Then their effects run, and then they are published in order. A durable entry and the later entries
 * of its session are published once the durable entry is on the disk. Other sessions do not wait for that.
 */
export interface Journal {
  append(entry: JournalEntry): void
  /**
   * Commits the pending entries now instead of at the end of the turn, for example before an answer that promises them.
   * Publishes them, except for entries that wait for the disk. Calls `onFailed` before it returns. If it is called
   * within a callback of the journal, the flush that is under way does the publishing.
   */
  flush(): void
  /**
   * Resolves when everything appended so far is committed, synced and published. Rejects when a sync fails or has
   * failed: then nothing is published any more, and every further entry fails.
   */
  settled(): Promise<void>
  /** The records as readers may see them. */
  readonly view: PublishedView
}

export interface JournalOptions {
  /** Receives errors that a publisher or callback throws. Default: a warning of the process. */
  onError?(error: unknown): void
  /** Called once when a sync has failed: nothing is stored or published any more. */
  onSyncFailed?(error: unknown): void
  /**
   * Syncs the output that a durable entry was derived from. The entry is released after this sync and the store's. Does
   * not reject.
   */
  syncOutput?(process: string): Promise<void>
}

/**
 * Creates the journal over a store. The entries of a turn are committed in `setImmediate`, which runs as soon as the
 * event loop has handed out all input that was ready. One transaction thus holds the entries of every session, and
 * waits for nothing. (A microtask would run between the input of two sessions, with one transaction for each: 37 k
 * against 120 k to 340 k events/s.)
 *
 * Commits are synchronous. If the disk stalls, SQLite's write waits in the kernel, and the whole daemon waits with it.
 * What processes print meanwhile is safe in the raw logs, and is read from there afterwards. Beyond one turn, the
 * journal buffers only entries that wait for a sync, whose events are stored already.
 */
export function createJournal(store: Store, publisher: Publisher, options: JournalOptions = {}): Journal {
  const onError = (error: unknown) => {
    if (options.onError) options.onError(error)
    else warn(error)
  }
  const sync = (durable: readonly JournalEntry[]) => {
    const processes = new Set(durable.flatMap(({ checkpoint, process }) => checkpoint?.process ?? process?.id ?? []))
    return Promise.all([store.sync(), ...[...processes].map(process => options.syncOutput?.(process))])
  }
  const gate = createDurabilityGate(sync, release, stop)
  const view = createPublishedView(store)
  let pending: JournalEntry[] = []
  let stopped: { by: unknown } | undefined
  // Committed entries whose `onCommitted` is still to be called.
  const untold: JournalEntry[] = []
  let withheld = 0

  function stop(error: unknown): void {
    if (stopped !== undefined) return
    stopped = { by: error }
    if (options.onSyncFailed) attempt(() => options.onSyncFailed?.(error), onError)
  }

  function commit(batch: JournalEntry[]): Outcome {
    if (stopped === undefined) return commitBatch(store, batch)
    const { by: error } = stopped
    return { committed: [], failed: batch.map(entry => ({ entry, error })) }
  }

  function flush(): void {
    if (pending.length === 0) return
    const batch = pending
    pending = []
    const changes = view.changesOf(batch)
    const { committed, failed } = commit(batch)
    passHookPoint('committed')
    view.hold(committed, changes)
    gate.add(committed)
    untold.push(...committed)
    const refused = failed.find(({ error }) => error instanceof SyncFailed)
    if (refused !== undefined) stop(refused.error)
    // Before anything is released: code that a reader triggers must find the failed sessions restored to what is
    // stored.
    withheld++
    try {
      for (const { entry, error } of failed) attempt(() => entry.onFailed(error), onError)
    } finally {
      withheld--
    }
    release()
  }

  /**
   * Calls `onCommitted` of committed entries, and then publishes the entries that readers may see. If a callback
   * appends and flushes in turn, this loop also releases those entries, after the ones before them.
   */
  function release(): void {
    if (withheld > 0) return
    withheld++
    try {
      while (releaseNext());
    } finally {
      withheld--
    }
  }

  /** Returns false when nothing is left to release. */
  function releaseNext(): boolean {
    if (stopped !== undefined) return false
    const committed = untold.shift()
    if (committed !== undefined) {
      attempt(() => committed.onCommitted?.(), onError)
      return true
    }
    const entry = gate.next()
    if (entry === undefined) return false
    view.published(entry)
    publish(entry, publisher, onError)
    return true
  }

  return {
    append(entry) {
      if (pending.length === 0) setImmediate(flush)
      pending.push(entry)
      passHookPoint('gathered')
    },
    flush,
    view,
    async settled() {
      flush()
      await Promise.all([store.sync(), gate.settled()])
      if (stopped !== undefined) throw stopped.by
    },
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
