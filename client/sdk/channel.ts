import type { Subscribed } from '../../protocol/index.ts'
import { RpcError, Unavailable } from './errors.ts'
import type { Reader, Sequenced } from './reader.ts'
import type { Link } from './reconnect.ts'

/** A topic as this program reads it: one subscription on the wire, however many readers. */
export interface Channel {
  join(reader: Reader): void
  leave(reader: Reader): void
  /** Some of what was sent has been taken. */
  taken(size: number): void
  receive(epoch: string, events: readonly Sequenced[], size: number): void
  /** The daemon does not know of the subscription. */
  missed(): void
  /** The connection is new: it knows of no subscription. */
  renewed(): void
}

/**
 * The wire has one cursor for a connection and topic, so the readers share it: it is put where the one furthest back
 * needs it, and every reader drops what it has had. Acks follow the slowest reader, so that what waits here is bounded
 * by the window; readers that must not wait for each other belong on connections of their own. `onUnused` is called when
 * nobody reads any more and the daemon was told.
 */
export function createChannel(topic: string, link: Link, onUnused: () => void): Channel {
  const readers = new Set<Reader>()
  let epoch = ''
  // The last event received on the wire; undefined while what comes may be of an earlier cursor.
  let last: number | undefined
  let placed = false
  let untaken = 0
  let wanted = false
  let busy = false
  let faults = 0

  /** Brings the wire to where the readers need it; what is wanted meanwhile is done by the same loop. */
  async function place(): Promise<void> {
    wanted = true
    if (busy) return
    busy = true
    while (wanted && link.state === 'open') {
      wanted = false
      try {
        if (readers.size) await subscribe()
        else if (placed) {
          last = undefined
          await link.call('topic.unsubscribe', { topic })
          placed = false
        }
      } catch (error) {
        if (error instanceof RpcError && error.retryable) {
          await new Promise(resolve => setTimeout(resolve, 500))
          wanted = true
        } else if (!(error instanceof Unavailable) || link.signal.aborted) {
          for (const reader of readers) reader.fail(error)
        }
        // A lost connection: the next one calls `renewed`.
      }
    }
    busy = false
    if (!readers.size) onUnused()
  }

  async function subscribe(): Promise<void> {
    const joined = [...readers]
    const since = furthestBack(joined)
    const window = Math.max(...joined.map(reader => reader.window))
    placed = true
    last = undefined
    await link.call(
      'topic.subscribe',
      { topic, since, window },
      {
        onResult(result) {
          const answer = result as Subscribed
          const base =
            since === 'end' ? answer.head : since !== 'start' && answer.recovered ? since.seq : answer.first - 1
          epoch = answer.epoch
          last = base
          untaken = 0
          for (const reader of joined) if (readers.has(reader)) reader.settle(answer, base)
        },
      },
    )
  }

  function fault(): void {
    last = undefined
    if (faults++) link.renew(`${topic}: events are missing`)
    else void place()
  }

  const ack = () => {
    untaken = 0
    const at = furthestBack([...readers])
    // While a cursor is being placed it would be taken for one of the new cursor, and open a window that nobody has read.
    if (last !== undefined && typeof at === 'object') link.notify('topic.ack', { topic, seq: at.seq })
  }

  const taken = (size: number) => {
    untaken += size
    const smallest = Math.min(...[...readers].map(reader => reader.window))
    if (untaken > (smallest < roomyBytes ? 0 : roomyBytes / 8)) ack()
  }

  return {
    join(reader) {
      readers.add(reader)
      void place()
    },
    leave(reader) {
      if (!readers.delete(reader)) return
      if (readers.size) ack()
      else void place()
    },
    taken,
    receive(of, events, size) {
      if (last === undefined) return
      if (of !== epoch || !follows(events, last)) return fault()
      const newest = events.at(-1)?.seq ?? 0
      if (newest <= last) return
      last = newest
      faults = 0
      const takers = [...readers].filter(reader => reader.push(events, of, size))
      // Sent again after a reconnect and taken meanwhile: nobody else would acknowledge it, and the daemon would wait.
      if (!takers.length) taken(size)
    },
    missed() {
      if (last !== undefined) fault()
    },
    renewed() {
      last = undefined
      placed = false
      void place()
    },
  }
}

/**
 * In a window of this size or more acks are saved up to an eighth of it: however the daemon counts bytes, there is room
 * for the largest event beside them. In a smaller one every batch is acknowledged.
 */
export const roomyBytes = 1024 * 1024

/** Contiguous in itself and with what was before; what was had already may come again. */
const follows = (events: readonly Sequenced[], last: number) =>
  events.every((event, index) => (index ? event.seq === events[index - 1]!.seq + 1 : event.seq <= last + 1))

function furthestBack(readers: readonly Reader[]): Reader['place'] {
  const places = readers.map(reader => reader.place).filter(place => place !== 'end')
  if (!places.length) return 'end'
  return places.reduce((one, two) => {
    if (one === 'start' || two === 'start' || one.epoch !== two.epoch) return 'start'
    return one.seq < two.seq ? one : two
  })
}
