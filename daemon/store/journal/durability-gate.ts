import { passHookPoint } from '../../hook-points.ts'
import type { JournalEntry } from './entry.ts'

interface Held {
  entry: JournalEntry
  /** Only its predecessors keep it from being released. */
  ready: boolean
}

export interface DurabilityGate {
  /** Takes entries that are committed, in the order of their commit. */
  add(committed: readonly JournalEntry[]): void
  /** The next entry that may be seen; undefined when there is none now. */
  next(): JournalEntry | undefined
  /** Resolves when the syncs for all durable entries added so far are over. */
  settled(): Promise<void>
}

/**
 * Decides the order in which committed entries become visible. A durable entry waits until `sync` has run after its
 * commit, and the later entries of its session wait behind it; other sessions do not wait. Calls `onReady` when entries
 * have stopped waiting.
 *
 * If the sync fails, the entry is never released and `onFailed` is called: nothing that follows from it may be relied
 * on.
 */
export function createDurabilityGate(
  sync: (durable: readonly JournalEntry[]) => Promise<unknown>,
  onReady: () => void,
  onFailed: (error: unknown) => void,
): DurabilityGate {
  const held = new Map<string, Held[]>()
  const syncing = new Set<Promise<void>>()
  const released: JournalEntry[] = []

  async function whenSynced(durable: Held[]): Promise<void> {
    try {
      await sync(durable.map(({ entry }) => entry))
    } catch (error) {
      return onFailed(error)
    }
    passHookPoint('synced')
    for (const waiting of durable) waiting.ready = true
    for (const { entry } of durable) advance(entry.session)
    onReady()
  }

  function advance(session: string): void {
    const queue = held.get(session)
    while (queue?.[0]?.ready === true) released.push(queue.shift()!.entry)
    if (queue?.length === 0) held.delete(session)
  }

  return {
    add(committed) {
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
      if (durable.length === 0) return
      const done = whenSynced(durable).finally(() => syncing.delete(done))
      syncing.add(done)
    },
    next: () => released.shift(),
    async settled() {
      await Promise.all(syncing)
    },
  }
}
