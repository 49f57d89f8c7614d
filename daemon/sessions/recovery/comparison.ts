import type { DamagedLines } from '../../agents/agent.ts'
import type { EventRow } from '../../store/store.ts'
import { noFacts, type Sink } from '../machine/fold/sink.ts'
import type { SessionState } from '../machine/fold/state.ts'

/** How the events that a fold derives differ from the stored ones. */
export interface Differences {
  /**
   * Number of stored events that are not derived or derived differently, and of derived events that are not stored.
   * `firstSeq` is where the first difference is.
   */
  events: number
  firstSeq: number
}

export interface Comparison {
  /** Takes the events of the fold. Each gets the `seq` of the stored event in its position. */
  sink: Sink
  /** Called after the last line and act. */
  end(): Differences
}

/**
 * Compares the events of a fold with the stored rows, byte for byte. If a line is gone, no events are derived for its
 * rows. These rows are skipped and count as differences, so that later events are compared with their own rows.
 */
export function createComparison(s: SessionState, stored: Iterable<EventRow>): Comparison {
  const rows = stored[Symbol.iterator]()
  let next = rows.next()
  const differences: Differences = { events: 0, firstSeq: 0 }
  const facts = noFacts()

  const differ = (seq: number) => {
    if (differences.events === 0) differences.firstSeq = seq
    differences.events += 1
  }
  const passOver = () => {
    if (next.done) return
    differ(next.value.seq)
    s.head = next.value.seq
    next = rows.next()
  }
  /** Whether the row comes before an event that the line at `offset`, or an act (null), gives. */
  const isBefore = (row: EventRow, offset: number | null) =>
    row.offset !== null && (offset === null || row.offset < offset)

  return {
    sink: {
      facts,
      event(body, run, time, source) {
        forget()
        while (!next.done && isBefore(next.value, source?.offset ?? null)) passOver()
        const row = next.done ? undefined : next.value
        if (!row || row.offset !== (source?.offset ?? null)) {
          // The event has no row, so it gets no `seq` of its own.
          differ(s.head + 1)
          return s.head
        }
        s.head = row.seq
        next = rows.next()
        if (JSON.stringify({ seq: row.seq, time, run, ...body }) !== row.text) differ(row.seq)
        return s.head
      },
    },
    end() {
      while (!next.done) passOver()
      return differences
    },
  }

  /** Drops the facts of the fold: only the state and the events are of interest. */
  function forget() {
    facts.answers.length = 0
    facts.ended.length = 0
    facts.resolved.length = 0
  }
}

/** Returns a sink that only numbers the events, for a fold whose events are not compared: the stored ones count. */
export function uncomparedSink(s: SessionState): Sink {
  const facts = noFacts()
  return {
    facts,
    event() {
      facts.answers.length = 0
      facts.ended.length = 0
      facts.resolved.length = 0
      s.head += 1
      return s.head
    },
  }
}

/** Describes the differences and the damaged parts of the raw log; undefined if there are none. */
export function damageOf(
  { events, firstSeq }: Differences,
  damaged: readonly DamagedLines[],
): { bytes: number; detail: string } | undefined {
  if (events === 0 && damaged.length === 0) return undefined
  const bytes = damaged.reduce((sum, each) => sum + each.bytes, 0)
  const detail =
    damaged.length > 0
      ? damaged.map(each => each.detail).join('; ')
      : `what the process printed does not give ${events} of the stored events any more, from ${firstSeq} on`
  return { bytes, detail }
}
