import type { Cursor, RecoveryReason, Subscribed } from '../../protocol/index.ts'

/** The part of an event that the SDK itself uses. */
export interface Sequenced {
  seq: number
}

/**
 * Stands for missing events: those after `from`, up to and including `to`. Later events begin after `to` of `epoch`.
 *
 * - `epoch_changed`: the log began anew; `from` is a position in the old log.
 * - `trimmed`: the events are no longer kept.
 * - `ahead_of_log`: the daemon lost events that it had sent.
 */
export interface Gap {
  type: 'gap'
  reason: RecoveryReason
  from: number
  to: number
  epoch: string
}

/** Where to begin. `{ seq }` means after this event; without `epoch`, it is a position in the present log. */
export type Since = 'start' | 'end' | { epoch?: string; seq: number }

/** One reader of a topic: its position, and the events that it has not taken yet. */
export interface Reader {
  /**
   * The position from which the next connection continues: the last event taken, or the end of a gap that waits to be
   * taken.
   */
  readonly place: 'start' | 'end' | Cursor
  /** The caller has taken everything up to this cursor, gaps included. */
  readonly cursor: Cursor | undefined
  readonly window: number
  /** Queues those of the contiguous events that are new. Returns false if all are known. */
  push(events: readonly Sequenced[], epoch: string, size: number): boolean
  /**
   * Takes up the answer to a (re)subscription that delivers after `base`. Queues a gap if events are missing between
   * the reader's position and `base`.
   */
  settle(answer: Subscribed, base: number): void
  /** Ends the reader with an error: after the queued events, or `now`. */
  fail(error: unknown, now?: 'now'): void
  /** Yields the queued events. Ends by throwing the error given to `fail`. */
  read(): AsyncGenerator<Sequenced | Gap, void>
}

interface Batch {
  items: readonly (Sequenced | Gap)[]
  epoch: string
  size: number
  /** A gap follows in the queue, so these events belong to a log that no longer counts. */
  old?: boolean
}

/** Creates a reader. It calls `onTaken` after each batch with the size of the batch. */
export function createReader(since: 'start' | 'end' | Cursor, window: number, onTaken: (size: number) => void): Reader {
  const batches: Batch[] = []
  let failure: { error: unknown } | undefined
  let stopped = false
  // Until the first subscription of this reader is answered, arriving events belong to the cursor of other readers.
  let settled = false
  let wake = () => {}
  // The position for the next connection. `last` is the last event queued, and only events after it are new.
  let place = since
  let cursor = typeof since === 'object' ? since : undefined
  let last = cursor ? cursor.seq : 0
  const add = (batch: Batch) => {
    batches.push(batch)
    wake()
  }

  return {
    get place() {
      return place
    },
    get cursor() {
      return cursor
    },
    window,
    push(events, epoch, size) {
      const fresh = events.filter(({ seq }) => seq > last)
      if (!settled || !fresh.length) return false
      last = fresh.at(-1)!.seq
      add({ items: fresh, epoch, size })
      return true
    },
    settle({ epoch, head }, base) {
      settled = true
      if (typeof place === 'string') {
        last = place === 'end' ? head : base
        cursor = { epoch, seq: last }
      } else {
        const reason =
          place.epoch !== epoch ? 'epoch_changed' : last < base ? 'trimmed' : last > head ? 'ahead_of_log' : undefined
        if (!reason) return
        for (const batch of batches) batch.old = true
        add({ items: [{ type: 'gap', reason, from: last, to: base, epoch }], epoch, size: 0 })
        last = base
      }
      place = { epoch, seq: last }
    },
    fail(error, now) {
      failure ??= { error }
      stopped ||= now !== undefined
      wake()
    },
    async *read() {
      for (;;) {
        const batch = stopped ? undefined : batches[0]
        if (batch) {
          for (const item of batch.items) {
            if (stopped) throw failure!.error
            yield item
            // The caller asked for the next event, so it has taken this one.
            cursor = { epoch: batch.epoch, seq: 'seq' in item ? item.seq : item.to }
            if (!batch.old) place = cursor
          }
          batches.shift()
          onTaken(batch.size)
        } else if (failure) {
          throw failure.error
        } else {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    },
  }
}
