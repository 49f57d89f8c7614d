import type { Cursor, Event, Gap, Mux } from '../../sdk/browser.ts'
import { charactersOf, shorten } from './model/shorten.ts'
import { createTranscript, type Transcript } from './model/transcript.ts'

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

export interface EventWindowBounds {
  /** Distance of the start from the end of the log. */
  events: number
  maxEvents: number
  maxCharacters: number
  /** Approximate duration of one piece of a rebuild. */
  pieceMs: number
}

const eventWindowBounds: EventWindowBounds = {
  events: 600,
  maxEvents: 20_000,
  maxCharacters: 12 * 1024 * 1024,
  pieceMs: 4,
}

const pageSize = 1_000

export function createEventWindow(
  mux: Mux,
  session: string,
  onChange: () => void,
  bounds = eventWindowBounds,
): EventWindow {
  const topic = `session/${session}` as const
  let entries: (Event | Gap)[] = []
  let sizes: number[] = []
  let size = 0
  let transcript = createTranscript()
  let state: EventWindow['state'] = 'opening'
  let failure: unknown
  let first = 1
  let epoch = ''
  let head = 0
  let isLoading = false
  // Counts rebuilds and resets.
  let retellings = 0
  // Aborts all work that belongs to an earlier start.
  let stop = new AbortController()
  const closed = new AbortController()

  const firstSeq = () => seqOf(entries[0])
  const lastSeq = () => seqOf(entries.at(-1))

  function append(entry: Event | Gap): void {
    const kept = entry.type === 'gap' ? entry : shorten(entry)
    const characters = charactersOf(kept)
    entries.push(kept)
    sizes.push(characters)
    size += characters
    transcript.add(kept)
  }

  /**
   * Rebuilds the transcript, because its items depend on the first event. Works in pieces between animation frames, while
   * the current transcript stays visible and receives events. A later rebuild replaces an unfinished one.
   */
  async function retell(): Promise<void> {
    const mine = ++retellings
    const next = createTranscript()
    for (let told = 0; told < entries.length; ) {
      // A hidden page has no animation frames, and its timers are throttled.
      const until = document.hidden ? Infinity : performance.now() + bounds.pieceMs
      do next.add(entries[told++]!)
      while (told < entries.length && performance.now() < until)
      if (told < entries.length) await new Promise(resolve => void setTimeout(resolve))
      if (mine !== retellings || closed.signal.aborted) return
    }
    transcript = next
    onChange()
  }

  const isFull = (share = 1) => entries.length > bounds.maxEvents * share || size > bounds.maxCharacters * share

  function letGoOfTop(): void {
    let count = 0
    for (; entries.length - count > bounds.maxEvents * 0.6 || size > bounds.maxCharacters * 0.6; count++)
      size -= sizes[count]!
    entries = entries.slice(count)
    sizes = sizes.slice(count)
  }

  function letGoOfEnd(): void {
    while (isFull()) {
      entries.pop()
      size -= sizes.pop()!
    }
    detach()
  }

  function detach(): void {
    if (state !== 'following') return
    stop.abort()
    stop = new AbortController()
    state = 'detached'
  }

  /** `lost`: the followed log was replaced, and the new one may lack the newest events of the old one. */
  async function begin(lost?: Gap): Promise<void> {
    stop.abort()
    stop = new AbortController()
    const { signal } = stop
    state = 'opening'
    retellings++
    entries = []
    sizes = []
    size = 0
    try {
      const place = await mux.api.topic.read({ topic, after: Number.MAX_SAFE_INTEGER, limit: 1 }, { signal })
      ;({ first, epoch, head } = place)
      const after = Math.max(first - 1, head - bounds.events)
      const known = await readRange(after, head, signal)
      if (signal.aborted) return
      transcript = createTranscript()
      for (const event of known) append(event)
      if (lost) append({ ...lost, to: head })
      void follow({ epoch, seq: head }, signal)
    } catch (error) {
      fail(error, signal)
    }
    onChange()
  }

  async function follow(since: Cursor, signal: AbortSignal): Promise<void> {
    state = 'following'
    try {
      for await (const entry of mux.subscribe(topic, { since, signal })) {
        if (entry.type === 'gap' && entry.reason !== 'trimmed') return await begin(entry)
        append(entry)
        head = Math.max(head, lastSeq())
        if (isFull()) {
          if (eventWindow.keepTop) detach()
          else {
            letGoOfTop()
            void retell()
          }
        }
        onChange()
      }
    } catch (error) {
      fail(error, signal)
      onChange()
    }
  }

  function fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    state = 'failed'
    failure = error
  }

  /** Reads the events after `after` up to `to`, page by page. */
  async function readRange(after: number, to: number, signal: AbortSignal): Promise<Event[]> {
    const events: Event[] = []
    for (let at = after; at < to; ) {
      const page = await mux.api.topic.read({ topic, after: at, limit: Math.min(pageSize, to - at) }, { signal })
      if (page.epoch !== epoch) throw new Begun()
      first = Math.max(first, page.first)
      // If the log was trimmed meanwhile, the page starts later, possibly beyond `to`.
      const found = (page.events as Event[]).filter(({ seq }) => seq <= to)
      if (found.length === 0) break
      events.push(...found)
      at = found.at(-1)!.seq
    }
    return events
  }

  async function load(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (isLoading || state === 'opening' || state === 'failed') return
    isLoading = true
    onChange()
    const { signal } = closed
    try {
      await read(signal)
    } catch (error) {
      if (error instanceof Begun) void begin()
      else fail(error, signal)
    } finally {
      isLoading = false
      if (!signal.aborted) onChange()
    }
  }

  const eventWindow: EventWindow = {
    keepTop: false,
    get transcript() {
      return transcript
    },
    get state() {
      return state
    },
    get failure() {
      return failure
    },
    get hasOlder() {
      return state !== 'opening' && entries.length > 0 && firstSeq() > first
    },
    get hasNewer() {
      return state === 'detached'
    },
    get isLoading() {
      return isLoading
    },
    get last() {
      return lastSeq()
    },
    loadOlder: () =>
      load(async signal => {
        const before = firstSeq()
        if (before <= first) return
        const older = await readRange(Math.max(first - 1, before - 1 - pageSize), before - 1, signal)
        // The window may have moved meanwhile.
        if (firstSeq() !== before) return
        const kept = older.map(shorten)
        entries = [...kept, ...entries]
        const added = kept.map(charactersOf)
        sizes = [...added, ...sizes]
        size += added.reduce((sum, each) => sum + each, 0)
        if (isFull()) letGoOfEnd()
        await retell()
      }),
    loadNewer: () =>
      load(async signal => {
        if (state !== 'detached') return
        const after = lastSeq()
        const page = await mux.api.topic.read({ topic, after, limit: pageSize }, { signal })
        if (page.epoch !== epoch) throw new Begun()
        if (state !== 'detached' || lastSeq() !== after) return
        for (const event of page.events as Event[]) append(event)
        head = page.head
        if (lastSeq() >= head) void follow({ epoch, seq: lastSeq() }, stop.signal)
        if (isFull()) {
          letGoOfTop()
          await retell()
        }
      }),
    toEnd: () => void begin(),
    async loadWhole(seq) {
      const { event } = await mux.api.event.get({ topic, seq }, { signal: closed.signal })
      const at = entries.findIndex(entry => seqOf(entry) === seq && entry.type !== 'gap')
      if (at < 0) return
      const whole = event as Event
      delete whole.cut
      const characters = charactersOf(whole)
      entries[at] = whole
      size += characters - sizes[at]!
      sizes[at] = characters
      await retell()
    },
    close() {
      stop.abort()
      closed.abort()
    },
  }
  void begin()
  return eventWindow
}

/** The log was replaced since the last read. */
class Begun extends Error {}

const seqOf = (entry: Event | Gap | undefined) => (!entry ? 0 : entry.type === 'gap' ? entry.to : entry.seq)
