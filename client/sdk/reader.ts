import type { Cursor, RecoveryReason, Subscribed } from '../../protocol/index.ts'

/** Any event: what the SDK itself looks at. */
export interface Sequenced {
  seq: number
}

/**
 * In place of events that cannot be had: those after `from` up to and including `to`. `epoch_changed`: the log was
 * begun anew, `from` is a place in the old one; `trimmed`: they are no longer kept; `ahead_of_log`: the daemon lost what
 * it had sent. What follows begins after `to` of `epoch`.
 */
export interface Gap {
  type: 'gap'
  reason: RecoveryReason
  from: number
  to: number
  epoch: string
}

/** Where to begin: `seq` without `epoch` means the log as it is now. */
export type Since = 'start' | 'end' | { epoch?: string; seq: number }

/** One reader of a topic: its place in it, and what it has not taken yet. */
export interface Reader {
  /** A connection that is made anew goes on from here: what was taken last, or the end of a gap that waits to be taken. */
  readonly place: 'start' | 'end' | Cursor
  /** Everything up to here was taken, gaps included. */
  readonly cursor: Cursor | undefined
  readonly window: number
  /** Adds what is new of these contiguous events to what waits to be taken; false when nothing is. */
  push(events: readonly Sequenced[], epoch: string, size: number): boolean
  /** Finds its feet after each (re)subscription, which delivers from `base` on; a gap if that is beyond what it has. */
  settle(answer: Subscribed, base: number): void
  /** Ends the reading: after what waits to be taken, or `now`. */
  fail(error: unknown, now?: 'now'): void
  /** Ends by throwing what it failed with. */
  read(): AsyncGenerator<Sequenced | Gap, void>
}

interface Batch {
  items: readonly (Sequenced | Gap)[]
  epoch: string
  size: number
  /** A gap waits behind it: its places are of a log that is no more. */
  old?: boolean
}

/** `onTaken` is called after each batch with its size. */
export function createReader(since: 'start' | 'end' | Cursor, window: number, onTaken: (size: number) => void): Reader {
  const batches: Batch[] = []
  let failure: { error: unknown } | undefined
  let stopped = false
  // Until its first subscription is answered, what arrives belongs to the others' cursor.
  let settled = false
  let wake = () => {}
  // The last event in `batches`; what is not beyond it has been had.
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
            // Asked for the next one: this one is done with.
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
