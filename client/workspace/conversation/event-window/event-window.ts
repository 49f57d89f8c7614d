import type { Cursor, Event, Gap, Mux } from '../../../sdk/browser.ts'
import type { Transcript } from '../model/transcript.ts'
import { type BufferBounds, createEventBuffer, type Entry } from './event-buffer.ts'
import { createLogReader, LogReplaced, pageSize } from './log-reader.ts'
import { createWindowTranscript } from './window-transcript.ts'

/**
 * A contiguous part of a session's log, as a transcript. It starts at the end of the log and follows it; `loadOlder` extends
 * it upwards. Its size is bounded: growing at one end drops events at the other. It calls `onChange` whenever there is
 * something new to show.
 */
export interface EventWindow {
  readonly transcript: Transcript
  readonly state: 'opening' | 'following' | 'detached' | 'failed'
  readonly failure: unknown
  /** Whether the log has events before and after this window. */
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  readonly isLoading: boolean
  /** The newest event of the window, and the newest known event of the log. */
  readonly last: number
  /** Set while the user reads further up: the window keeps its start, and stops following the end once it is full. */
  keepTop: boolean
  loadOlder(): Promise<void>
  loadNewer(): Promise<void>
  /** Drops all events and starts again at the end of the log. */
  toEnd(): void
  /** Replaces a cut event with the whole event. */
  loadWhole(seq: number): Promise<void>
  close(): void
}

export interface EventWindowBounds extends BufferBounds {
  /** Distance of the start from the end of the log. */
  events: number
  /** Approximate duration of one piece of a rebuild. */
  pieceMs: number
}

const eventWindowBounds: EventWindowBounds = {
  events: 600,
  maxEvents: 20_000,
  maxCharacters: 12 * 1024 * 1024,
  pieceMs: 4,
}

export function createEventWindow(
  mux: Mux,
  session: string,
  onChange: () => void,
  bounds = eventWindowBounds,
): EventWindow {
  const topic = `session/${session}` as const
  const log = createLogReader(mux, topic)
  const buffer = createEventBuffer(bounds)
  const transcript = createWindowTranscript(buffer, bounds.pieceMs, changed)
  let state: EventWindow['state'] = 'opening'
  let failure: unknown
  // The newest known event of the log.
  let head = 0
  let isLoading = false
  // Aborts all work that belongs to an earlier start.
  let stop = new AbortController()
  const closed = new AbortController()

  function changed(): void {
    if (!closed.signal.aborted) onChange()
  }

  const append = (entry: Entry) => transcript.current.add(buffer.append(entry))

  function renewStop(): AbortSignal {
    stop.abort()
    stop = new AbortController()
    return stop.signal
  }

  function detach(): void {
    if (state !== 'following') return
    renewStop()
    state = 'detached'
  }

  function fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    state = 'failed'
    failure = error
  }

  /** `lost`: the followed log was replaced, and the new one may lack the newest events of the old one. */
  async function begin(lost?: Gap): Promise<void> {
    const signal = renewStop()
    state = 'opening'
    transcript.stop()
    buffer.clear()
    try {
      head = await log.readEnd(signal)
      const known = await log.readRange(Math.max(log.first - 1, head - bounds.events), head, signal)
      if (signal.aborted) return
      transcript.clear()
      for (const event of known) append(event)
      if (lost) append({ ...lost, to: head })
      void follow({ epoch: log.epoch, seq: head }, signal)
    } catch (error) {
      fail(error, signal)
    }
    changed()
  }

  async function follow(since: Cursor, signal: AbortSignal): Promise<void> {
    state = 'following'
    try {
      for await (const entry of mux.subscribe(topic, { since, signal })) {
        if (entry.type === 'gap' && entry.reason !== 'trimmed') return await begin(entry)
        append(entry)
        head = Math.max(head, buffer.lastSeq)
        if (buffer.isFull) {
          if (eventWindow.keepTop) detach()
          else {
            buffer.dropOldest()
            void transcript.rebuild()
          }
        }
        changed()
      }
    } catch (error) {
      fail(error, signal)
      changed()
    }
  }

  /** Runs one read at a time. */
  async function load(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (isLoading || state === 'opening' || state === 'failed') return
    isLoading = true
    changed()
    const { signal } = closed
    try {
      await read(signal)
    } catch (error) {
      if (error instanceof LogReplaced) void begin()
      else fail(error, signal)
    } finally {
      isLoading = false
      changed()
    }
  }

  async function readOlder(signal: AbortSignal): Promise<void> {
    const before = buffer.firstSeq
    if (before <= log.first) return
    const older = await log.readRange(Math.max(log.first - 1, before - 1 - pageSize), before - 1, signal)
    // The window may have moved meanwhile.
    if (buffer.firstSeq !== before) return
    buffer.prepend(older)
    if (buffer.isFull) {
      buffer.dropNewest()
      detach()
    }
    await transcript.rebuild()
  }

  async function readNewer(signal: AbortSignal): Promise<void> {
    if (state !== 'detached') return
    const after = buffer.lastSeq
    const page = await log.readPage(after, pageSize, signal)
    if (state !== 'detached' || buffer.lastSeq !== after) return
    for (const event of page.events) append(event)
    head = page.head
    if (buffer.lastSeq >= head) void follow({ epoch: log.epoch, seq: buffer.lastSeq }, stop.signal)
    if (!buffer.isFull) return
    buffer.dropOldest()
    await transcript.rebuild()
  }

  const eventWindow: EventWindow = {
    keepTop: false,
    get transcript() {
      return transcript.current
    },
    get state() {
      return state
    },
    get failure() {
      return failure
    },
    get hasOlder() {
      return state !== 'opening' && buffer.entries.length > 0 && buffer.firstSeq > log.first
    },
    get hasNewer() {
      return state === 'detached'
    },
    get isLoading() {
      return isLoading
    },
    get last() {
      return buffer.lastSeq
    },
    loadOlder: () => load(readOlder),
    loadNewer: () => load(readNewer),
    toEnd: () => void begin(),
    async loadWhole(seq) {
      const answer = await mux.api.event.get({ topic, seq }, { signal: closed.signal })
      const whole = answer.event as Event
      delete whole.cut
      if (buffer.replace(whole)) await transcript.rebuild()
    },
    close() {
      stop.abort()
      closed.abort()
      transcript.stop()
    },
  }
  void begin()
  return eventWindow
}
