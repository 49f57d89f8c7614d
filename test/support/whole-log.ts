import { AssertionError } from 'node:assert'
import { terminalTypes } from '../../protocol/wire.ts'

/** An event as a subscriber received it: live, replayed or read. A `gap` from an SDK counts as a fault. */
export interface LogEvent {
  seq?: number
  type: string
  run?: string | null
}

export interface WholeLog {
  /** The result of `readLog`. The events must equal it to the last one, byte for byte. */
  log?: readonly object[]
  /** The `seq` after which the subscriber began. Default 0. */
  after?: number
  /** Runs that may still be active. Every other run must have ended. */
  running?: readonly string[]
}

/**
 * Checks the events that a subscriber of a session received: contiguous `seq`, no duplicates, exactly one terminal
 * event for each run with none of its events after it, and everything equal to the log.
 */
export function expectWholeLog(events: readonly LogEvent[], whole: WholeLog = {}): void {
  const fault = faultIn(events, whole)
  if (fault !== undefined) throw new AssertionError({ message: fault, stackStartFn: expectWholeLog })
}

/** Reads the whole present log of a session. `read` makes the call: a peer's, or an SDK's `mux.api.topic.read`. */
export async function readLog<Event extends { seq: number } = WireLogEvent>(
  read: (params: { topic: string; after: number; limit: number }) => Promise<object>,
  session: string,
): Promise<Event[]> {
  const events: Event[] = []
  for (;;) {
    const page = await read({ topic: `session/${session}`, after: events.at(-1)?.seq ?? 0, limit: 1_000 })
    const { events: next, head } = page as { events: Event[]; head: number }
    events.push(...next)
    if (next.length === 0 || next.at(-1)!.seq >= head) return events
  }
}

type WireLogEvent = { seq: number; type: string; run: string | null; [field: string]: unknown }

/** A plain loop, because it also checks logs of a hundred thousand events. */
function faultIn(events: readonly LogEvent[], { log, after = 0, running = [] }: WholeLog): string | undefined {
  const seen = new Set<string>()
  const ended = new Set<string>()
  for (const [index, event] of events.entries()) {
    const { seq, type, run } = event
    const text = JSON.stringify(event)
    const expected = after + 1 + index
    if (seq !== expected) return `expected event ${expected}, got ${shortened(text)}`
    const kept = log && JSON.stringify(log[expected - 1])
    if (kept === undefined ? log : kept !== text)
      return `event ${seq} is ${shortened(text)}, in the log ${shortened(kept)}`
    if (typeof run !== 'string') continue
    if (ended.has(run)) return `event ${seq} (${type}) of ${run}, which had ended`
    seen.add(run)
    if ((terminalTypes as readonly string[]).includes(type)) ended.add(run)
  }
  const end = after + events.length
  if (log && log.length !== end) return `ends with event ${end}, the log with ${log.length}`
  const open = [...seen].filter(run => !ended.has(run) && !running.includes(run))
  return open.length === 0 ? undefined : `no terminal event of ${open.join(', ')}`
}

const shortened = (text = 'nothing') => (text.length > 300 ? `${text.slice(0, 300)}…` : text)
