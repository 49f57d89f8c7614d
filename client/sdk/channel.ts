import type { Subscribed } from '../../protocol/index.ts'
import { RpcError, Unavailable } from './errors.ts'
import type { Reader, Sequenced } from './reader.ts'
import type { Link } from './reconnect.ts'

/** The single subscription of this program on a topic, shared by all its readers. */
export interface Channel {
  join(reader: Reader): void
  leave(reader: Reader): void
  /** A reader has taken events of this size. */
  taken(size: number): void
  receive(epoch: string, events: readonly Sequenced[], size: number): void
  /** The daemon's heartbeat does not list the subscription. */
  missed(): void
  /** The connection is new and has no subscription yet. */
  renewed(): void
}

/**
 * The wire has one cursor for each connection and topic, so the readers share it. The channel places it where the
 * reader that is furthest back needs it, and every reader drops events that it already has. Acks follow the slowest
 * reader, so the window bounds the events that wait here. Readers that must not wait for each other need connections of
 * their own. The channel calls `onUnused` when it has no readers and, on an open connection, has unsubscribed.
 */
export function createChannel(topic: string, link: Link, onUnused: () => void): Channel {
  const readers = new Set<Reader>()
  let epoch = ''
  // The `seq` of the last event received on the wire. Undefined while received events may belong to an earlier cursor.
  let last: number | undefined
  let placed = false
  let untaken = 0
  let wanted = false
  let busy = false
  let faults = 0

  /** Subscribes or unsubscribes as the readers need. Repeats if the need changes meanwhile. */
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
        // After a lost connection, the next one calls `renewed`.
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
    // While a cursor is being placed, the daemon would count the ack for the new cursor and send into a window that no
    // reader has emptied.
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
      // The events were sent again after a reconnect, and all readers have taken them meanwhile. No reader would
      // acknowledge them, and the daemon would wait.
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
 * With a window of at least this size, the channel saves up acks for an eighth of it: however the daemon counts bytes,
 * the largest event still fits beside them. With a smaller window it acknowledges every batch.
 */
export const roomyBytes = 1024 * 1024

/** Whether the events are contiguous and continue at `last`. They may begin with events that were already received. */
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
