import { passHookPoint } from '../hook-points.ts'
import { commitBatch, type Outcome } from './commit-batch.ts'
import type { Journal, JournalEntry, Publisher } from './journal.ts'
import { createPublishedView } from './published-view.ts'
import { createReleaseOrder } from './release-order.ts'
import { SyncFailed, type Store } from './store.ts'

export interface JournalOptions {
  /** Receives what a publisher or callback threw. Default: a warning of the process. */
  onError?(error: unknown): void
  /** A sync has failed: nothing is stored or published any more. Called once. */
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
  const order = createReleaseOrder(sync, release, stop)
  const view = createPublishedView(store)
  let pending: JournalEntry[] = []
  let stopped: { by: unknown } | undefined
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
    order.add(committed)
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

  const next = () => (stopped === undefined ? order.next() : undefined)

  /** A callback may append and flush in turn. What that commits is released here, after the entries ahead of it. */
  function release(): void {
    if (withheld > 0) return
    withheld++
    try {
      for (let entry = next(); entry !== undefined; entry = next()) {
        view.published(entry)
        publish(entry, publisher, onError)
      }
    } finally {
      withheld--
    }
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
      await Promise.all([store.sync(), order.settled()])
      if (stopped !== undefined) throw stopped.by
    },
  }
}

/** A new session is announced before its events, a change after the events that made it. */
function publish(entry: JournalEntry, publisher: Publisher, onError: (error: unknown) => void): void {
  const { session, sessionRecord, events } = entry
  const record = (body: Parameters<Publisher['record']>[0]) => attempt(() => publisher.record(body), onError)

  if (sessionRecord !== undefined && entry.created === true) record({ type: 'session_created', session: sessionRecord })
  if (events.length > 0) attempt(() => publisher.sessionEvents(session, events), onError)
  if (sessionRecord !== undefined && entry.created !== true) record({ type: 'session_changed', session: sessionRecord })
  for (const { run } of entry.runs ?? []) record({ type: 'run_changed', run })
  for (const { approval } of entry.approvals ?? []) record({ type: 'approval_changed', approval })
  if (entry.deleted === true) record({ type: 'session_deleted', session })
  attempt(() => entry.onPublished?.(), onError)
}

/** An error of one subscriber must not keep the others from being notified. */
function attempt(call: () => void, onError: (error: unknown) => void): void {
  try {
    call()
  } catch (error) {
    onError(error)
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
