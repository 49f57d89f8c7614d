import type { Cursor, Event, Gap, Mux } from '../../sdk/browser.ts'
import { charactersOf, shorten } from './model/shorten.ts'
import { createTranscript, type Transcript } from './model/transcript.ts'

/**
 * A stretch of a session's log as a transcript. It begins at the end of the log and follows it; it grows upwards by
 * `loadOlder`. What it holds is bounded: where it grows at one end it lets go of the other. `onChange` is called whenever
 * there is something new to show.
 */
export interface Feed {
  readonly transcript: Transcript
  readonly state: 'opening' | 'following' | 'detached' | 'failed'
  readonly failure: unknown
  /** The log has more before and behind what is here. */
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  readonly isLoading: boolean
  /** The newest event here, and the newest there is, as far as is known. */
  readonly last: number
  /** While somebody reads further up nothing is let go of there; the end is then no longer followed when it goes on for long. */
  keepTop: boolean
  loadOlder(): Promise<void>
  loadNewer(): Promise<void>
  /** Lets go of everything and begins at the end again. */
  toEnd(): void
  /** Replaces an event that was cut by the whole of it. */
  loadWhole(seq: number): Promise<void>
  close(): void
}

export interface FeedBounds {
  /** How far from the end it begins. */
  events: number
  maxEvents: number
  maxCharacters: number
  /** About so long at a time everything is gone through again. */
  pieceMs: number
}

const feedBounds: FeedBounds = { events: 600, maxEvents: 20_000, maxCharacters: 12 * 1024 * 1024, pieceMs: 4 }

const pageSize = 1_000

export function createFeed(mux: Mux, session: string, onChange: () => void, bounds = feedBounds): Feed {
  const topic = `session/${session}` as const
  let entries: (Event | Gap)[] = []
  let sizes: number[] = []
  let size = 0
  let transcript = createTranscript()
  let state: Feed['state'] = 'opening'
  let failure: unknown
  let first = 1
  let epoch = ''
  let head = 0
  let isLoading = false
  // Counts the times that everything was told again, or let go of.
  let retellings = 0
  // Whatever belongs to an earlier beginning finds its signal aborted.
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
   * Goes through everything again: what an item is depends on where the reading begins. In pieces between frames of the
   * screen, while the one there is goes on being shown and written. Does nothing more once it is asked for anew.
   */
  async function retell(): Promise<void> {
    const mine = ++retellings
    const next = createTranscript()
    for (let told = 0; told < entries.length; ) {
      // In a page that is not seen there are no frames, and hardly any pieces.
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

  /** `lost`: the log that was followed is no more, and what is there now may lack the last of it. */
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
          if (feed.keepTop) detach()
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

  /** The events after `after` up to `to`, in as many pages as it takes. */
  async function readRange(after: number, to: number, signal: AbortSignal): Promise<Event[]> {
    const events: Event[] = []
    for (let at = after; at < to; ) {
      const page = await mux.api.topic.read({ topic, after: at, limit: Math.min(pageSize, to - at) }, { signal })
      if (page.epoch !== epoch) throw new Begun()
      first = Math.max(first, page.first)
      // Where the log was trimmed meanwhile it goes on later, maybe beyond what was asked for.
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

  const feed: Feed = {
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
  return feed
}

/** The log is another than the one that was read. */
class Begun extends Error {}

const seqOf = (entry: Event | Gap | undefined) => (!entry ? 0 : entry.type === 'gap' ? entry.to : entry.seq)
