import type { Event, Mux } from '../../../sdk/browser.ts'

/** Reads the log of a session page by page. A log that was replaced since `readEnd` fails with `LogReplaced`. */
export interface LogReader {
  /** The epoch of the log, and its first event as far as known. */
  readonly epoch: string
  readonly first: number
  /** Begins again: reads the epoch and the bounds of the log. Returns the seq of its newest event. */
  readEnd(signal: AbortSignal): Promise<number>
  readPage(after: number, limit: number, signal: AbortSignal): Promise<{ events: Event[]; head: number }>
  /** Reads the events after `after` up to `to`. */
  readRange(after: number, to: number, signal: AbortSignal): Promise<Event[]>
}

export class LogReplaced extends Error {}

export const pageSize = 1_000

export function createLogReader(mux: Mux, topic: `session/${string}`): LogReader {
  let epoch = ''
  let first = 1

  async function readPage(after: number, limit: number, signal: AbortSignal) {
    const page = await mux.api.topic.read({ topic, after, limit }, { signal })
    if (page.epoch !== epoch) throw new LogReplaced()
    first = Math.max(first, page.first)
    return { events: page.events as Event[], head: page.head }
  }

  return {
    get epoch() {
      return epoch
    },
    get first() {
      return first
    },
    async readEnd(signal) {
      const end = await mux.api.topic.read({ topic, after: Number.MAX_SAFE_INTEGER, limit: 1 }, { signal })
      ;({ epoch, first } = end)
      return end.head
    },
    readPage,
    async readRange(after, to, signal) {
      const events: Event[] = []
      for (let at = after; at < to; ) {
        const page = await readPage(at, Math.min(pageSize, to - at), signal)
        // If the log was trimmed meanwhile, the page starts later, possibly beyond `to`.
        const found = page.events.filter(({ seq }) => seq <= to)
        if (found.length === 0) break
        events.push(...found)
        at = found.at(-1)!.seq
      }
      return events
    },
  }
}
