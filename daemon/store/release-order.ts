import type { JournalEntry } from './journal.ts'

interface Held {
  entry: JournalEntry
  /** Nothing but its predecessors keeps it from being released. */
  ready: boolean
}

export interface ReleaseOrder {
  /** Takes entries that are committed, in the order of their commit. */
  add(committed: readonly JournalEntry[]): void
  /** Resolves when all durable entries added so far have been released. */
  settled(): Promise<void>
}

/**
 * Releases committed entries in order. A durable entry waits until `sync` has run after its commit, and the later
 * entries of its session wait behind it; other sessions pass by.
 *
 * If the sync fails, the entry is released all the same and the error reported: it is committed, and a reader who waited
 * for it in vain would be no safer from a power cut.
 */
export function createReleaseOrder(
  sync: () => Promise<void>,
  release: (entry: JournalEntry) => void,
  onError: (error: unknown) => void,
): ReleaseOrder {
  const held = new Map<string, Held[]>()
  const syncing = new Set<Promise<void>>()
  let released: JournalEntry[] = []
  let draining = false

  function add(committed: readonly JournalEntry[]): void {
    const durable: Held[] = []
    for (const entry of committed) {
      const queue = held.get(entry.session)
      if (queue === undefined && !entry.durable) {
        released.push(entry)
        continue
      }
      const waiting = { entry, ready: !entry.durable }
      if (entry.durable) durable.push(waiting)
      if (queue === undefined) held.set(entry.session, [waiting])
      else queue.push(waiting)
    }
    if (durable.length > 0) {
      const done = whenSynced(durable).finally(() => syncing.delete(done))
      syncing.add(done)
    }
    drain()
  }

  async function whenSynced(durable: Held[]): Promise<void> {
    try {
      await sync()
    } catch (error) {
      onError(error)
    }
    for (const waiting of durable) waiting.ready = true
    for (const { entry } of durable) advance(entry.session)
    drain()
  }

  function advance(session: string): void {
    const queue = held.get(session)
    while (queue?.[0]?.ready === true) released.push(queue.shift()!.entry)
    if (queue?.length === 0) held.delete(session)
  }

  /** A callback may commit and add more: that is released after what is ahead of it, by the loop that runs already. */
  function drain(): void {
    if (draining) return
    draining = true
    while (released.length > 0) {
      const entries = released
      released = []
      for (const entry of entries) release(entry)
    }
    draining = false
  }

  return {
    add,
    async settled() {
      await Promise.all(syncing)
    },
  }
}
